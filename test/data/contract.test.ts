import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTypedTable } from '../../data/typed-table.ts';
import type { SourceFormat } from '../../data/file-head.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import { PlatformError, type ErrorDetail } from '../../lib/errors.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { csv, limits, ndjson, shopDefinition, shopRows, tableOf, testFolder, type ShopRow } from './examples.ts';

/** What a file is refused with. Also checks that nothing half-made stays and that no message shows a path. */
async function refusal(
  content: string | Buffer,
  definition: PipelineDefinition = shopDefinition(),
  format: SourceFormat = 'csv',
): Promise<readonly ErrorDetail[]> {
  const folder = await testFolder();
  const file = join(folder, 'source');
  await writeFile(file, content);
  const made = makeTypedTable({
    definition,
    file,
    format,
    parquetPath: join(folder, 'table.parquet'),
    duckdb: limits(folder),
  });
  const error = await made.then(
    () => new Error('the file was accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PlatformError)) throw error;
  expect(error.code).toBe('DATA_CONTRACT');
  expect(JSON.stringify([error.message, error.details])).not.toContain(folder);
  expect(await readdir(folder)).toEqual(['source']);
  return error.details;
}

/** Good rows with some of them changed; `row` counts from 1. */
function rowsWith(changes: Record<number, Partial<ShopRow>>, count = 40): ShopRow[] {
  return shopRows(count).map((row, index) => ({ ...row, ...changes[index + 1] }) as ShopRow);
}

const lines = (changes: Record<number, string>) =>
  csv(shopRows(40))
    .split('\n')
    .map((line, row) => changes[row] ?? line)
    .join('\n');

test('an empty file is refused', async () => {
  expect(await refusal('')).toEqual([{ path: 'file', rule: 'not_empty', message: 'the file is empty' }]);
});

test('a header without rows is refused', async () => {
  expect(await refusal('age,income,city,plan,member,bought\n')).toMatchObject([
    { path: 'file', rule: 'not_empty', message: 'the file has a header but no rows' },
  ]);
});

test('missing, doubled and unwanted columns are all reported at once', async () => {
  const rows = shopRows(40).map(({ age, income, ...rest }) => ({ ...rest, Age: age, income, extra: 1 }) as ShopRow);
  const content = csv(rows).replace('extra', 'income');
  const definition = shopDefinition({ contract: { min_rows: 10, extra_columns: 'reject' } });
  expect(await refusal(content, definition)).toMatchObject([
    { path: 'age', rule: 'missing_column' },
    { path: 'income', rule: 'duplicate_column' },
    { path: 'Age', rule: 'extra_column' },
  ]);
});

test('values that are not of their type name the column, the first row and the value', async () => {
  const content = csv(
    rowsWith({
      3: { age: 'old', member: 'maybe' },
      7: { age: 'very old' },
      9: { plan: 1.5 },
      11: { city: 'Berne,\n"CH"' },
      12: { income: 'x'.repeat(500) },
    }),
  );
  expect(await refusal(content)).toEqual([
    { path: 'age', rule: 'type', message: "row 3 has 'old', which is not a number (and 1 more rows)" },
    { path: 'income', rule: 'type', message: `row 12 has '${'x'.repeat(60)}…', which is not a number` },
    { path: 'plan', rule: 'type', message: "row 9 has '1.5', which is not a whole number of at most 2^53" },
    { path: 'member', rule: 'type', message: "row 3 has 'maybe', which is not true or false" },
  ]);
});

test('ranges, closed lists and missing values are checked with types, in one answer', async () => {
  const content = csv(
    rowsWith({ 2: { age: -1 }, 4: { age: 121 }, 5: { age: null }, 6: { plan: 4 }, 8: { income: '1e39' } }),
  );
  expect(await refusal(content)).toEqual([
    { path: 'age', rule: 'not_null', message: 'row 5 has no value' },
    { path: 'age', rule: 'min', message: "row 2 has '-1.0', which is below 0" },
    { path: 'age', rule: 'max', message: "row 4 has '121.0', which is above 120" },
    { path: 'income', rule: 'finite', message: "row 8 has 'inf', which is beyond the range of float32" },
    { path: 'plan', rule: 'allowed', message: "row 6 has '4', which is not one of the allowed values" },
  ]);
});

test('too many missing values are a share of the rows', async () => {
  const base = shopDefinition();
  const definition = shopDefinition({
    features: { ...base.features, city: { type: 'categorical', nullable: true, max_null_share: 0.2 } },
  });
  const rows = shopRows(40).map((row, i) => ({ ...row, city: i < 10 ? null : 'Bern' }));
  expect(await refusal(csv(rows), definition)).toEqual([
    { path: 'city', rule: 'max_null_share', message: '10 of 40 rows have no value; allowed is a share of 0.2' },
  ]);
});

test('repeated rows count against the allowed share', async () => {
  const definition = shopDefinition({ contract: { min_rows: 10, max_duplicate_share: 0.2 } });
  const rows = [...shopRows(30), ...shopRows(10)];
  expect(await refusal(csv(rows), definition)).toMatchObject([
    { rule: 'max_duplicate_share', message: '10 of 40 rows repeat another row; allowed is a share of 0.2' },
  ]);
});

test('fewer rows than the contract asks for are refused', async () => {
  expect(await refusal(csv(shopRows(9)))).toMatchObject([{ path: 'file', rule: 'min_rows' }]);
});

test('a constant target is refused', async () => {
  const rows = shopRows(40).map((row) => ({ ...row, bought: 'yes' }));
  expect(await refusal(csv(rows))).toEqual([
    { path: 'bought', rule: 'two_classes', message: "the target is 'yes' in every row; it needs two classes" },
  ]);
});

test('a third class, a missing target and an absent positive class are refused', async () => {
  expect(await refusal(csv(rowsWith({ 5: { bought: 'maybe' }, 6: { bought: null } })))).toMatchObject([
    { path: 'bought', rule: 'not_null', message: 'row 6 has no value' },
    { path: 'bought', rule: 'two_classes', message: expect.stringContaining('row 5 has a third class') as string },
  ]);
  const definition = shopDefinition({ target: { column: 'bought', positive: 'JA' } });
  expect(await refusal(csv(shopRows(40)), definition)).toMatchObject([{ path: 'bought', rule: 'positive_class' }]);
});

test('ragged rows are named, and other problems keep the row numbers of the file', async () => {
  const content = lines({ 2: '5,6', 5: '1,2,Bern,1,true,yes,7,8', 9: 'old,2,Bern,1,true,yes' });
  expect(await refusal(content)).toEqual([
    { path: 'row 2', rule: 'columns', message: 'has 2 values, but the header has 6 columns' },
    { path: 'row 5', rule: 'columns', message: 'has at least 7 values, but the header has 6 columns' },
    { path: 'age', rule: 'type', message: "row 9 has 'old', which is not a number" },
  ]);
});

test('text that is not UTF-8 is refused with its row', async () => {
  const content = Buffer.from(lines({ 4: '5,6,Orl\u00e9ans,1,true,yes' }), 'latin1');
  expect(await refusal(content)).toEqual([{ path: 'row 4', rule: 'utf8', message: 'is not UTF-8 text' }]);
  const utf16 = Buffer.from(`\ufeff${lines({})}`, 'utf16le');
  expect(await refusal(utf16)).toMatchObject([{ rule: 'utf8', message: expect.stringContaining('UTF-16') as string }]);
});

test('a cell of 100 MB is refused with its row, in bounded memory', async () => {
  const [head, ...rest] = csv(shopRows(40)).split('\n');
  const cell = Buffer.alloc(100 * 1024 * 1024, 'x');
  const content = Buffer.concat([
    Buffer.from(`${[head, ...rest.slice(0, 2)].join('\n')}\n5,6,`),
    cell,
    Buffer.from(`,1,true,yes\n${rest.slice(2).join('\n')}`),
  ]);
  expect(await refusal(content)).toMatchObject([{ path: 'row 3', rule: 'row_size' }]);
});

test.each(['', '\n'])('a last row that is longer than the reader holds is refused, not left out', async (end) => {
  const content = `${csv(shopRows(40))}5,6,${'x'.repeat(20 * 1024 * 1024)},1,true,yes${end}`;
  expect(await refusal(content)).toMatchObject([{ path: 'row 41', rule: 'row_size' }]);
});

test('a cell of Parquet that is longer than a row may be is no category', async () => {
  const rows = await tableOf(csv(shopRows(40)));
  const path = join(rows.folder, 'long.parquet');
  await withDuckDb(limits(rows.folder), (db) =>
    db.run(`COPY (SELECT * REPLACE (CASE WHEN file_row_number = 6 THEN repeat('x', 2097152) ELSE city END AS city)
      FROM read_parquet('${rows.parquetPath}', file_row_number = true)) TO '${path}' (FORMAT parquet)`),
  );
  expect(await refusal(await readFile(path), shopDefinition(), 'parquet')).toMatchObject([
    { path: 'city', rule: 'cell_size', message: expect.stringMatching(/^row 7 has 'x+…', which is longer/) as string },
  ]);
});

test('thousands of broken rules are counted, a hundred are listed', async () => {
  const rows = shopRows(12).map((row) => ({ ...row, ...Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x${i}`, 1])) })); // prettier-ignore
  const definition = shopDefinition({ contract: { min_rows: 10, extra_columns: 'reject' } });
  const details = await refusal(csv(rows), definition);
  expect(details).toHaveLength(101);
  expect(details[100]).toEqual({ path: 'file', rule: 'more', message: '800 more rules are broken' });
});

test('a quote that is never closed and mixed line ends are refused with a row', async () => {
  expect(await refusal(lines({ 16: '5,6,"Bern,1,true,yes' }))).toMatchObject([{ path: 'row 16', rule: 'quotes' }]);
  const mixed = lines({ 3: '5,6,Bern,1,true,yes\r' });
  expect(await refusal(mixed)).toMatchObject([{ path: 'row 3', rule: 'row_ends' }]);
});

test('files that are not what they were sent as are refused', async () => {
  const { bytes } = await tableOf(csv(shopRows(200)));
  expect(await refusal(bytes)).toMatchObject([{ message: 'the file is Parquet, but was sent as csv' }]);
  expect(await refusal(csv(shopRows(40)), shopDefinition(), 'parquet')).toMatchObject([
    { message: 'the file is not Parquet' },
  ]);
  expect(await refusal(Buffer.from([0x1f, 0x8b, 8, 0]))).toMatchObject([{ rule: 'plain_text' }]);
});

test('a truncated and a damaged Parquet file are refused', async () => {
  const { bytes } = await tableOf(csv(shopRows(2000)));
  expect(await refusal(bytes.subarray(0, bytes.length >> 1), shopDefinition(), 'parquet')).toMatchObject([
    { rule: 'parquet', message: 'the Parquet file is truncated: its end is missing' },
  ]);
  const damaged = Buffer.from(bytes);
  damaged.fill(0x5a, 100, bytes.length >> 1);
  expect(await refusal(damaged, shopDefinition(), 'parquet')).toMatchObject([{ path: 'file', rule: 'parquet' }]);
});

test('bad NDJSON lines are named', async () => {
  const good = ndjson(shopRows(40)).split('\n');
  good[2] = '{"age": 5,';
  good[4] = '[1, 2]';
  expect(await refusal(good.join('\n'), shopDefinition(), 'ndjson')).toEqual([
    { path: 'row 3', rule: 'ndjson', message: 'is not valid JSON' },
    { path: 'row 5', rule: 'ndjson', message: 'is JSON, but not an object' },
  ]);
});

test('NDJSON columns that no line has are missing columns', async () => {
  const rows = shopRows(40).map(({ income: _, ...rest }) => ({ ...rest, extra: 1 }));
  const definition = shopDefinition({ contract: { min_rows: 10, extra_columns: 'reject' } });
  expect(await refusal(ndjson(rows), definition, 'ndjson')).toMatchObject([
    { path: 'income', rule: 'missing_column' },
    { path: 'extra', rule: 'extra_column' },
  ]);
});

test('values of NDJSON and Parquet are checked like those of CSV', async () => {
  const rows = rowsWith({ 3: { age: 'old' }, 4: { plan: 2.5 } });
  const expected = [
    { path: 'age', rule: 'type', message: "row 3 has 'old', which is not a number" },
    { path: 'plan', rule: 'type', message: "row 4 has '2.5', which is not a whole number of at most 2^53" },
  ];
  expect(await refusal(ndjson(rows), shopDefinition(), 'ndjson')).toEqual(expected);
  // Everything is a category to this definition, so that its Parquet holds text.
  const text = { type: 'categorical', nullable: true } as const;
  const asText = shopDefinition({
    features: { age: text, income: text, city: text, plan: text, member: text },
    derived: {},
  });
  const { bytes } = await tableOf(csv(rows), asText);
  expect(await refusal(bytes, shopDefinition(), 'parquet')).toEqual(expected);
});
