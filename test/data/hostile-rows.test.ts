import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withDuckDb } from '../../lib/duckdb.ts';
import { definePipeline } from '../../pipelines/definition.ts';
import { csv, limits, shopDefinition, shopRows, tableOf, testFolder } from './examples.ts';
import { editFooter, editLastColumnPage, rowGroups, setNumber } from './parquet-footer.ts';

const definition = definePipeline({
  name: 'wide',
  target: { column: 'y', positive: 'yes' },
  features: { a: { type: 'numeric' } },
  candidates: [{ algorithm: 'logistic_regression' }],
});

async function parquet(rows: number): Promise<Buffer> {
  const folder = await testFolder();
  const file = join(folder, 'table.parquet');
  const select = `SELECT 1.5::FLOAT AS a, CASE WHEN i % 2 = 0 THEN 'yes' ELSE 'no' END AS y FROM range(${rows}) AS t(i)`;
  await withDuckDb(limits(folder), (db) =>
    db.run(`COPY (${select}) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 1000000)`),
  );
  return await readFile(file);
}

/** How much the resident memory of this process grows while `work` fails, and why it fails. */
async function failure(work: Promise<unknown>) {
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  const error = await work.then(
    () => null,
    (reason: unknown) => reason as { code: string; details: { rule: string; message: string }[] },
  );
  clearInterval(watch);
  return { error, grownBytes: peak - before };
}

test('a billion rows in a few kilobytes end as a broken contract, in bounded memory', async () => {
  const million = await parquet(1e6);
  // The same row group a thousand times is a file that really has a billion rows.
  const billion = editFooter(million, (metadata) => {
    const group = rowGroups(metadata)[0]!;
    rowGroups(metadata).push(...Array<typeof group>(999).fill(group));
    setNumber(metadata, 3, 1e9);
  });
  expect(billion.length).toBeLessThan(1e6);
  const { error, grownBytes } = await failure(tableOf(billion, definition, 'parquet'));
  expect(error).toMatchObject({ code: 'DATA_CONTRACT', details: [{ path: 'file', rule: 'max_rows' }] });
  expect(error!.details[0]!.message).toBe('the file has 1000000000 rows, the contract allows 20000000');
  expect(grownBytes).toBeLessThan(200e6);
});

test('a page that says it unpacks to 2 GB ends as a failure with a code, in bounded memory', async () => {
  const bomb = editLastColumnPage(await parquet(1000), (header) => setInt(header, 2, 2 ** 31 - 1));
  const { error, grownBytes } = await failure(tableOf(bomb, definition, 'parquet'));
  expect(['DATA_CONTRACT', 'UNAVAILABLE']).toContain(error?.code);
  expect(grownBytes).toBeLessThan(500e6);
});

test('a page whose size is not that of its bytes is a damaged file', async () => {
  const small = editLastColumnPage(await parquet(1000), (header) => setInt(header, 2, 5));
  const { error } = await failure(tableOf(small, definition, 'parquet'));
  expect(error).toMatchObject({ code: 'DATA_CONTRACT', details: [{ path: 'file', rule: 'parquet' }] });
});

const setInt = (header: Parameters<typeof setNumber>[0], field: number, value: number) =>
  header.set(field, { type: 5, value: BigInt(value) });

test('more rows than the contract allows are refused in text too', async () => {
  const narrow = shopDefinition({ contract: { min_rows: 10, max_rows: 399 } });
  await expect(tableOf(csv(shopRows(400)), narrow)).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [{ path: 'file', rule: 'max_rows', message: 'the file has 400 rows, the contract allows 399' }],
  });
  await expect(tableOf(csv(shopRows(399)), narrow)).resolves.toMatchObject({ rows: 399 });
});

test('a contract cannot ask for more rows than it allows', () => {
  expect(() => shopDefinition({ contract: { min_rows: 500, max_rows: 400 } })).toThrow('must be at least min_rows');
});
