import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { countLabels } from '../../data/label-counts.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import { temporaryFolder } from '../platform.ts';

test('labels of a Parquet file are counted as text, without the missing ones', async () => {
  const folder = await temporaryFolder('labels');
  onTestFinished(folder.remove);
  const [path, duckdb] = [join(folder.path, 'sample.parquet'), { memoryLimit: '64MB', tempDir: folder.path }];
  await withDuckDb(duckdb, (db) =>
    db.run(`COPY (SELECT unnest([true, false, true, NULL]) AS label) TO ${quoteText(path)} (FORMAT parquet)`),
  );
  expect(await countLabels(path, 'label', duckdb)).toEqual({ false: 1, true: 2 });
  expect(await countLabels(path, 'outcome', duckdb)).toBeNull();
});
