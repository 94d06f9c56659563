import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { extendDataset } from '../../data/extend-dataset.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import { definePipeline } from '../../pipelines/definition.ts';
import { temporaryFolder } from '../platform.ts';

const definition = definePipeline({
  name: 'loans',
  target: { column: 'repaid', positive: 'no' },
  features: {
    income: { type: 'numeric', min: 0, max: 1000, nullable: true },
    purpose: { type: 'categorical', allowed: ['car', 'house'] },
    region: { type: 'categorical', values: 'integer' },
    member: { type: 'boolean' },
  },
  candidates: [{ algorithm: 'logistic_regression' }],
  contract: { min_rows: 10, extra_columns: 'reject' },
});
const csv = `income,purpose,region,member,repaid\n${Array.from({ length: 12 }, (_, i) => `${i},car,${i},true,${i % 2 ? 'yes' : 'no'}`).join('\n')}\n`;

async function extend(lines: readonly object[], text = csv) {
  const folder = await temporaryFolder('extend');
  onTestFinished(folder.remove);
  const [file, labelled, parquetPath] = ['a.csv', 'b.ndjson', 'c.parquet'].map((name) => join(folder.path, name));
  await writeFile(file!, text);
  await writeFile(labelled!, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const duckdb = { memoryLimit: '512MB', tempDir: folder.path };
  const made = await extendDataset({
    ...{ definition, file: file!, format: 'csv' as const },
    ...{ labelled: labelled!, parquetPath: parquetPath!, duckdb },
  });
  const rows = await withDuckDb(duckdb, (db) => db.rows(`SELECT * FROM '${parquetPath}' OFFSET 12`));
  return { made, rows, bytes: await readFile(parquetPath!) };
}
const row = { income: 5.5, purpose: 'house', region: 7, member: false, repaid: 'yes' };

test('labelled rows come after those of the source, typed as they are', async () => {
  const { made, rows } = await extend([row, { ...row, income: null, repaid: 'no' }, { ...row, income: undefined }]);
  expect(made).toEqual({ rows: 15, added: 3 });
  expect(rows).toEqual([
    { ...row, region: '7' },
    { ...row, region: '7', income: null, repaid: 'no' },
    { ...row, region: '7', income: null },
  ]);
});

test('rows that the contract does not allow are left out, and features that are none any more', async () => {
  const { made, rows } = await extend([
    { ...row, income: 1001 },
    { ...row, income: -1 },
    { ...row, income: 1e39 },
    { ...row, income: 'much' },
    { ...row, purpose: 'boat' },
    { ...row, purpose: null },
    { ...row, region: 1.5 },
    { ...row, member: undefined },
    { ...row, repaid: null },
    { ...row, colour: 'red' },
  ]);
  expect(made.added).toBe(1);
  expect(rows).toEqual([{ ...row, region: '7' }]);
});

test('the same content gives the same bytes', async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => ({ ...row, income: i % 1000, region: i }));
  const [one, two] = [await extend(lines), await extend(lines)];
  expect(one.made.added).toBe(5000);
  expect(one.bytes.equals(two.bytes)).toBe(true);
});

test('a source that breaks the contract is refused as it is when a run reads it', async () => {
  await expect(extend([row], csv.replace('0,car', '-1,car'))).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [{ path: 'income', rule: 'min' }],
  });
});
