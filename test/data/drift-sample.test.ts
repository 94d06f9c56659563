import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeReferenceSample } from '../../data/drift-sample.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import type { InputColumn } from '../../ml/features.ts';
import { limits, testFolder } from './examples.ts';

const INPUTS: InputColumn[] = [
  { name: 'row', type: 'numeric', nullable: false },
  { name: 'Label', type: 'categorical_string', nullable: true },
];

async function sampleOf(rows: number) {
  const folder = await testFolder();
  const [testRows, path] = [join(folder, 'test-rows.parquet'), join(folder, 'sample.parquet')];
  const sql = `SELECT i::FLOAT AS row, if(i % 3 = 0, NULL, 'x') AS "Label", if(i % 2 = 0, 'yes', 'no') AS bought FROM range(${rows}) t(i)`;
  await withDuckDb(limits(folder), (db) => db.run(`COPY (${sql}) TO ${quoteText(testRows)} (FORMAT parquet)`));
  const probabilities = Float64Array.from({ length: rows }, (_, row) => 1 / (row + 3));
  const written = await writeReferenceSample({ testRows, inputs: INPUTS, probabilities, path }, limits(folder));
  const read = <T extends Record<string, unknown>>(select: string) =>
    withDuckDb(limits(folder), (db) => db.rows<T>(`SELECT ${select} FROM ${quoteText(path)}`));
  return { written, read, bytes: await readFile(path) };
}

test('each row of the sample keeps its features, its class and the very probability; a feature keeps its name', async () => {
  const { written, read } = await sampleOf(5);
  expect(written).toBe(5);
  expect(await read('*')).toEqual([
    { row: 0, Label: null, probability: 1 / 3, label_: 'yes' },
    { row: 1, Label: 'x', probability: 1 / 4, label_: 'no' },
    { row: 2, Label: 'x', probability: 1 / 5, label_: 'yes' },
    { row: 3, Label: null, probability: 1 / 6, label_: 'no' },
    { row: 4, Label: 'x', probability: 1 / 7, label_: 'yes' },
  ]);
});

test('of more rows 20,000 are chosen at equal distances, in their order, and the same ones again', async () => {
  const sample = await sampleOf(50_000);
  expect(sample.written).toBe(20_000);
  const distances = await sample.read('row - lag(row) OVER () AS distance');
  expect(new Set(distances.map(({ distance }) => distance))).toEqual(new Set([null, 2, 3]));
  expect(await sample.read('sum(abs(probability - 1 / (row::DOUBLE + 3))) AS off')).toEqual([{ off: 0 }]);
  expect((await sampleOf(50_000)).bytes.equals(sample.bytes)).toBe(true);
});
