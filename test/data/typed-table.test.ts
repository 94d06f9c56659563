import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTypedTable } from '../../data/typed-table.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import { definePipeline } from '../../pipelines/definition.ts';
import {
  csv,
  limits,
  ndjson,
  shopDefinition,
  shopRows,
  tableOf,
  testFolder,
  type MadeTable,
  type ShopRow,
} from './examples.ts';

const rowsOf = ({ folder, parquetPath }: MadeTable) =>
  withDuckDb(limits(folder), (db) => db.rows(`SELECT * FROM read_parquet('${parquetPath}')`));

test('the same content gives the same bytes, also when several threads read and write it', async () => {
  const [header, ...lines] = csv(shopRows(25_000)).trimEnd().split('\n');
  // Larger than the reader's buffer and than a group of rows, so that threads do share the work.
  const body = `${lines.join('\n')}\n`.repeat(14);
  const folder = await testFolder();
  const file = join(folder, 'rows.csv');
  await writeFile(file, `${header}\n${body}`);
  const hash = async (threads: number, memoryLimit: string) => {
    const parquetPath = join(folder, 'table.parquet');
    const duckdb = { threads, memoryLimit, tempDir: folder };
    await makeTypedTable({ definition: shopDefinition(), file, format: 'csv', parquetPath, duckdb });
    return createHash('sha256')
      .update(await readFile(parquetPath))
      .digest('hex');
  };
  const first = await hash(1, '300MB');
  expect(await hash(4, '300MB')).toBe(first);
  expect(await hash(2, '120MB')).toBe(first);
});

test('CSV, NDJSON and Parquet of the same rows give the same table', async () => {
  const rows = shopRows(500);
  const fromCsv = await tableOf(csv(rows));
  const fromNdjson = await tableOf(ndjson(rows), shopDefinition(), 'ndjson');
  const fromParquet = await tableOf(fromCsv.bytes, shopDefinition(), 'parquet');
  expect(fromNdjson.bytes.equals(fromCsv.bytes)).toBe(true);
  expect(fromParquet.bytes.equals(fromCsv.bytes)).toBe(true);
});

test('columns come in the order of the definition, with their types, and extra ones are dropped', async () => {
  const rows = shopRows(20).map(({ bought, age, ...rest }) => ({ bought, note: 'a', ...rest, age }) as ShopRow);
  const table = await tableOf(csv(rows));
  expect(table).toMatchObject({ rows: 20, columns: 6 });
  const described = await withDuckDb(limits(table.folder), (db) =>
    db.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM '${table.parquetPath}'`),
  );
  expect(described.map(({ column_name, column_type }) => `${column_name} ${column_type}`)).toEqual([
    'age FLOAT',
    'income FLOAT',
    'city VARCHAR',
    'plan BIGINT',
    'member BOOLEAN',
    'bought VARCHAR',
  ]);
});

test('a byte order mark, CRLF, semicolons, quotes with line ends and a last row without end are read', async () => {
  const rows = shopRows(30).map((row, i) => (i === 4 ? { ...row, city: 'Le "Grand"\nLyon' } : row));
  const plain = await tableOf(csv(rows));
  const odd = `\ufeff${csv(rows, '\r\n').replaceAll(',', ';')}`.slice(0, -2);
  const table = await tableOf(odd);
  expect(await rowsOf(table)).toEqual(await rowsOf(plain));
  expect((await rowsOf(table))[4]).toMatchObject({ city: 'Le "Grand"\nLyon' });
});

test('NaN and empty text are missing values', async () => {
  const rows = shopRows(30).map((row, i) => (i === 2 ? { ...row, income: 'NaN', city: '' } : row));
  const [, , third] = await rowsOf(await tableOf(csv(rows)));
  expect(third).toMatchObject({ income: null, city: null });
});

test('the ways to write a boolean target are one class each', async () => {
  const written = ['True', 'true', 'TRUE', 'False', 'false', 'FALSE'];
  const rows = shopRows(30).map((row, i) => ({ ...row, bought: written[i % 6]! }));
  const { profile } = await tableOf(csv(rows), shopDefinition({ target: { column: 'bought', positive: true } }));
  expect(profile.columns['bought']).toMatchObject({
    distinct: 2,
    top: [
      { value: 'false', count: 15 },
      { value: 'true', count: 15 },
    ],
  });
});

test('a column with one value and a column without values are warnings', async () => {
  const rows = shopRows(30).map((row) => ({ ...row, city: null, income: 5 }));
  const { warnings } = await tableOf(csv(rows));
  expect(warnings).toEqual(["column 'income' has one value only", "column 'city' has no values"]);
});

test('the profile counts, ranks and bins what is there, in plain JSON', async () => {
  const rows = shopRows(200).map((row, i) => ({ ...row, income: i < 20 ? null : i }));
  const { profile } = await tableOf(csv(rows));
  expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
  const income = profile.columns['income'];
  expect(income).toMatchObject({ count: 180, nulls: 20, min: 20, max: 199, mean: 109.5 });
  expect(income).toMatchObject({ quantiles: { 0: 20, 25: 64, 50: 109, 75: 154, 100: 199 } });
  if (income?.type !== 'numeric') throw new Error('income must be numeric');
  expect(Math.abs(income.distinct - 180)).toBeLessThanOrEqual(4);
  expect(income.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(180);
  expect(income.histogram.edges).toHaveLength(income.histogram.counts.length + 1);
});

test('a file of 10,000 columns is refused, and read where the contract allows it', async () => {
  const extra = Array.from({ length: 10_000 }, (_, i) => `x${i}`);
  const [header, ...lines] = csv(shopRows(20)).trim().split('\n');
  const content = [`${extra.join(',')},${header}`, ...lines.map((line) => `${extra.map(() => '1').join(',')},${line}`)];
  const message = 'the file has 10006 columns, the contract allows 2000';
  await expect(tableOf(content.join('\n'))).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [{ path: 'file', rule: 'max_columns', message }],
  });
  const wide = shopDefinition({ contract: { min_rows: 10, max_columns: 20_000 } });
  expect(await tableOf(content.join('\n'), wide)).toMatchObject({ rows: 20, columns: 6 });
});

test('a definition with a hundred features is checked and profiled', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `x${i}`);
  const definition = definePipeline({
    name: 'wide',
    target: { column: 'y', positive: 1 },
    features: Object.fromEntries(names.map((name) => [name, { type: 'numeric', min: 0 }])),
    contract: { min_rows: 10 },
    candidates: [{ algorithm: 'logistic_regression' }],
  });
  const row = (y: number): ShopRow => ({ ...Object.fromEntries(names.map((name, i) => [name, i])), y });
  const rows = Array.from({ length: 20 }, (_, i) => row(i % 2));
  expect(await tableOf(csv(rows), definition)).toMatchObject({ rows: 20, columns: 101 });
  rows[7]!['x95'] = -1;
  await expect(tableOf(csv(rows), definition)).rejects.toMatchObject({
    details: [{ path: 'x95', rule: 'min', message: "row 8 has '-1.0', which is below 0" }],
  });
});
