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
    db.run(`COPY (SELECT unnest([true, false, true, NULL]) AS label, unnest([1.0, 0.0, 1.0, NULL]::DOUBLE[]) AS number)
      TO ${quoteText(path)} (FORMAT parquet)`),
  );
  expect(await countLabels(path, 'label', duckdb)).toEqual({ false: 1, true: 2 });
  expect(await countLabels(path, 'number', duckdb)).toEqual({ 0: 1, 1: 2 }); // as a definition names such classes
  expect(await countLabels(path, 'outcome', duckdb)).toBeNull();
});
