import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTypedTable } from '../../data/typed-table.ts';
import { PipelineDefinition } from '../../pipelines/definition.ts';

const docs = new URL('../../docs/', import.meta.url);
const example = (name: string) => new URL(`examples/${name}`, docs);

test('the example of the guide is the file beside it, and its CSV holds to its contract', async () => {
  const json = await readFile(example('loans.json'), 'utf8');
  expect(await readFile(new URL('pipelines.md', docs), 'utf8')).toContain(json.trim());
  const definition = PipelineDefinition.parse(JSON.parse(json));
  const folder = await mkdtemp(join(tmpdir(), 'anneal-example-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const table = await makeTypedTable({
    definition,
    file: example('loans.csv').pathname,
    format: 'csv',
    parquetPath: join(folder, 'loans.parquet'),
    duckdb: { memoryLimit: '256MB', tempDir: folder },
  });
  expect(table).toMatchObject({ rows: 2000, columns: 6, warnings: [] });
});
