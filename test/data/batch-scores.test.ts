import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitBatchFile } from '../../data/batch-chunks.ts';
import { joinScoredChunks, readModelInputs, writeScoredChunk } from '../../data/batch-scores.ts';
import type { SourceFormat } from '../../data/file-head.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import type { ModelSignature } from '../../ml/signature.ts';
import { limits, testFolder } from './examples.ts';

const SIGNATURE: ModelSignature = {
  inputs: [
    { name: 'age', type: 'numeric', nullable: false },
    { name: 'plan', type: 'categorical_integer', nullable: true },
    { name: 'city', type: 'categorical_string', nullable: true },
    { name: 'member', type: 'boolean', nullable: false },
  ],
  classes: { negative: 'no', positive: 'yes' },
  decision: { negative: 'KEEP', positive: 'CALL' },
  threshold: 0.5,
};
const PREDICTION = {
  prediction_label: 'no',
  prediction_probability: 0.25,
  prediction_decision: 'KEEP',
  prediction_error: null,
  prediction_model: 'models:/shop/3',
};
const failed = (prediction_error: string) => ({
  ...{ prediction_label: null, prediction_probability: null, prediction_decision: null },
  prediction_error,
});

async function split(content: string | Buffer, format: SourceFormat = 'csv', signature = SIGNATURE) {
  const folder = await testFolder();
  const file = join(folder, 'rows');
  await writeFile(file, content);
  const duckdb = limits(folder);
  const { inputs } = signature;
  const chunks = await splitBatchFile({ file, format, inputs, directory: join(folder, 'chunks'), duckdb });
  return { folder, duckdb, chunks };
}

/** Everything but the model: the probability of each row is `probability`. */
async function scored(
  content: string | Buffer,
  format: SourceFormat = 'csv',
  { probability = 0.25, signature = SIGNATURE } = {},
) {
  const { folder, duckdb, chunks } = await split(content, format);
  const { inputs } = SIGNATURE;
  const paths: string[] = [];
  let [firstRow, rows_failed] = [1, 0];
  for (const { path: chunk, rows } of chunks) {
    const path = `${chunk}.scored`;
    const probabilities = new Float32Array(rows).fill(probability);
    expect((await readModelInputs(chunk, inputs, duckdb)).rows).toBe(rows);
    const write = { chunk, firstRow, signature, modelUri: 'models:/shop/3', probabilities, path };
    rows_failed += await writeScoredChunk(write, duckdb);
    firstRow += rows;
    paths.push(path);
  }
  const output = join(folder, 'output.parquet');
  await joinScoredChunks(paths, output, { rows: firstRow - 1, rows_failed }, duckdb);
  const query = (sql: string) => withDuckDb(duckdb, (db) => db.rows(sql.replace('output', `'${output}'`)));
  return { rows_failed, chunks, query, rows: () => query('FROM output'), bytes: () => readFile(output) };
}

/** A Parquet file of what a SELECT answers. */
async function parquetOf(select: string): Promise<Buffer> {
  const folder = await testFolder();
  const path = join(folder, 'made.parquet');
  await withDuckDb(limits(folder), (db) => db.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`));
  return await readFile(path);
}

test('a row keeps its columns and gets its prediction; one that breaks a rule gets the rules instead', async () => {
  const table = await scored(
    [
      ',id,age,plan,city,member,rows',
      '0,k1,12.5,3,Bern,true,9',
      '1,"k,2",,1,,false,8',
      '2,k3,abc,2.5,Lyon,maybe,7',
      '3,k4,1e300,,"Graz, A",1,',
      '4,k5,inf,9007199254740993,Z,0,x',
      '5,k6,NaN,5,Z,t,x\n',
    ].join('\n'),
  );
  const plan = 'plan: must be an integer between -(2^53 - 1) and 2^53 - 1';
  expect(await table.rows()).toEqual([
    { ...PREDICTION, column_1: '0', id: 'k1', age: 12.5, plan: '3', city: 'Bern', member: true, rows: '9', prediction_row: '1' },
    { ...PREDICTION, ...failed('age: must not be null'), column_1: '1', id: 'k,2', age: null, plan: '1', city: null, member: false, rows: '8', prediction_row: '2' },
    { ...PREDICTION, ...failed(`age: must be a number, not abc; ${plan}, not 2.5; member: must be true or false, not maybe`), column_1: '2', id: 'k3', age: null, plan: null, city: 'Lyon', member: null, rows: '7', prediction_row: '3' },
    { ...PREDICTION, ...failed('age: is beyond the range of a 32-bit float'), column_1: '3', id: 'k4', age: 1e300, plan: null, city: 'Graz, A', member: true, rows: null, prediction_row: '4' },
    { ...PREDICTION, ...failed(`age: must be a finite number; ${plan}, not 9007199254740993`), column_1: '4', id: 'k5', age: 'Infinity', plan: null, city: 'Z', member: false, rows: 'x', prediction_row: '5' },
    { ...PREDICTION, ...failed('age: must not be null'), column_1: '5', id: 'k6', age: null, plan: '5', city: 'Z', member: true, rows: 'x', prediction_row: '6' },
  ]); // prettier-ignore
  expect(table.rows_failed).toBe(5);
});

test('the probability decides label and decision, from the threshold on', async () => {
  for (const threshold of [0.5, ...[8, 9, 14, 16].map((part) => Math.fround(part / 301))]) {
    const signature = { ...SIGNATURE, threshold };
    const content = 'age,plan,city,member\n1,2,x,true\n';
    const [row] = await (await scored(content, 'csv', { probability: threshold, signature })).rows();
    expect(row).toMatchObject({
      prediction_label: 'yes',
      prediction_decision: 'CALL',
      prediction_probability: threshold,
    });
  }
});

test('the model is given the same values by CSV, NDJSON and Parquet; other columns of Parquet keep their types', async () => {
  const csv = 'age,plan,city,member,since\n12.5,3,Bern,true,2026-01-01\n0.1,,,false,2026-01-02\n';
  const ndjson = [
    '{"since":"2026-01-01","age":12.5,"plan":3,"city":"Bern","member":true}',
    '{"member":false,"age":0.1,"plan":null,"since":"2026-01-02"}\n',
  ].join('\n');
  const parquet = await parquetOf(`SELECT * FROM (VALUES
    (12.5::DOUBLE, 3::SMALLINT, 'Bern', true, DATE '2026-01-01'), (0.1, NULL, '', false, DATE '2026-01-02')
  ) rows(age, plan, city, member, since)`);
  const inputs = await Promise.all(
    ([[csv, 'csv'], [ndjson, 'ndjson'], [parquet, 'parquet']] as const).map(async ([content, format]) => {
      const { chunks, duckdb } = await split(content, format);
      return await readModelInputs(chunks[0]!.path, SIGNATURE.inputs, duckdb);
    }),
  ); // prettier-ignore
  expect(inputs[0]).toEqual({
    rows: 2,
    columns: {
      age: Float32Array.of(12.5, 0.1),
      plan: { codes: Int32Array.of(0, -1), categories: [3] },
      city: { codes: Int32Array.of(0, -1), categories: ['Bern'] },
      member: Float32Array.of(1, 0),
    },
  });
  expect(inputs[1]).toEqual(inputs[0]);
  expect(inputs[2]).toEqual(inputs[0]);
  const types = await (
    await scored(parquet, 'parquet')
  ).query('SELECT column_name AS name, column_type AS type FROM (DESCRIBE FROM output)');
  expect(types.map(({ name, type }) => `${name as string} ${type as string}`)).toEqual([
    'age DOUBLE',
    'plan SMALLINT',
    'city VARCHAR',
    'member BOOLEAN',
    'since DATE',
    'prediction_row BIGINT',
    'prediction_label VARCHAR',
    'prediction_probability FLOAT',
    'prediction_decision VARCHAR',
    'prediction_error VARCHAR',
    'prediction_model VARCHAR',
  ]);
});

test('many chunks are one file in the order of the rows, and the same bytes each time', async () => {
  const lines = Array.from({ length: 160_000 }, (_, row) => `${row},${row % 7},c${row % 11},${row % 2}`);
  const content = `age,plan,city,member\n${lines.join('\n')}\n`;
  const [table, again] = [await scored(content), await scored(content)];
  expect(table.chunks.length).toBeGreaterThan(2);
  const counts = `count(*) AS rows, count(DISTINCT prediction_row) AS numbers, count(*) FILTER (age + 1 <> prediction_row) AS moved`;
  expect(await table.query(`SELECT ${counts} FROM output`)).toEqual([{ rows: '160000', numbers: '160000', moved: '0' }]);
  const inFile = `count(*) FILTER (file_row_number + 1 <> prediction_row) AS moved`;
  expect(await table.query(`SELECT ${inFile} FROM read_parquet(output, file_row_number = true)`)).toEqual([{ moved: '0' }]);
  expect((await again.bytes()).equals(await table.bytes())).toBe(true);
}); // prettier-ignore

const HEADER = 'age,plan,city,member';
test.each([
  ['a column that the model takes is missing', 'age,city,member\n1,x,true\n', 'plan', 'missing_column'],
  ['two columns differ in case alone', `${HEADER},Age\n1,2,x,true,3\n`, 'Age', 'duplicate_column'],
  ['a column has a name of the result', `${HEADER},prediction_label\n1,2,x,true,3\n`, 'prediction_label', 'reserved'],
  ['there is a header alone', `${HEADER}\n`, 'file', 'not_empty'],
  ['a row has a value too many', `${HEADER}\n1,2,x,true\n1,2,x,true,5\n`, 'row 2', 'csv'],
  ['a row has a value too few', `${HEADER}\n1,2,x,true\n1,2\n`, 'row 2', 'csv'],
])('a CSV is refused where %s, by name and rule', async (_, content, path, rule) => {
  await expect(split(content)).rejects.toMatchObject({ code: 'DATA_CONTRACT', details: [{ path, rule }] });
});

test('a line of NDJSON that is no object is refused by its number', async () => {
  const line = '{"age":1,"plan":2,"city":"x","member":true}';
  await expect(split(`${line}\n{"age":\n`, 'ndjson')).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [{ path: 'row 2', rule: 'ndjson' }],
  });
});

test('a column of Parquet whose type could never fit is refused, as is a file without rows', async () => {
  const wrong = await parquetOf(`SELECT DATE '2026-01-01' AS age, 1 AS plan, ['x'] AS city, 1.5 AS member`);
  await expect(split(wrong, 'parquet')).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [
      { path: 'age', rule: 'type', message: 'the column is DATE, but must be a number' },
      { path: 'city', rule: 'type', message: 'the column is VARCHAR[], but must be a string' },
    ],
  });
  const empty = await parquetOf(`SELECT 1 AS age, 1 AS plan, 'x' AS city, true AS member LIMIT 0`);
  await expect(split(empty, 'parquet')).rejects.toMatchObject({ details: [{ path: 'file', rule: 'not_empty' }] });
});

test('a table of which no row can be scored fails, and says why', async () => {
  await expect(scored(`${HEADER}\n"1,5",2,x,true\n"2,5",2,x,true\n`)).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [{ rule: 'scorable', message: 'no row can be scored; the first: age: must be a number, not 1,5' }],
  });
});
