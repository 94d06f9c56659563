import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachColumnPair, rowsOf, type ComparedColumn } from '../../data/drift-columns.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import type { PreparedColumn } from '../../ml/drift/prepared-column.ts';
import { limits, testFolder } from './examples.ts';

const same = (name: string, type: PreparedColumn['type']): ComparedColumn => ({
  name,
  type,
  reference: `"${name}"`,
  current: `"${name}"`,
});
/** Numbers ascending; of categories the rows of each. */
const shown = (column: PreparedColumn) =>
  column.type === 'numeric'
    ? { rows: column.rows, sorted: [...column.sorted] }
    : { rows: column.rows, counts: Object.fromEntries(column.categories.map((name, at) => [name, column.counts[at]])) };

async function pairsOf(selects: { reference: string; current: string }, columns: readonly ComparedColumn[]) {
  const folder = await testFolder();
  const tables = { reference: join(folder, 'reference.parquet'), current: join(folder, 'current.parquet') };
  return await withDuckDb(limits(folder), async (db) => {
    await db.run(`COPY (${selects.reference}) TO ${quoteText(tables.reference)} (FORMAT parquet)`);
    await db.run(`COPY (${selects.current}) TO ${quoteText(tables.current)} (FORMAT parquet)`);
    const pairs: { index: number; reference: unknown; current: unknown }[] = [];
    for await (const { index, reference, current } of eachColumnPair(db, tables, columns, await rowsOf(db, tables)))
      pairs.push({ index, reference: shown(reference), current: shown(current) });
    return pairs;
  });
}

test('numbers keep their bits, and what is no finite number is missing', async () => {
  const reference = `SELECT unnest([1::DOUBLE, NULL, 'nan', 'inf', '-inf', 0.1]) AS n`;
  const [pair] = await pairsOf({ reference, current: 'SELECT 9007199254740993::BIGINT AS n' }, [same('n', 'numeric')]);
  expect(pair).toEqual({
    index: 0,
    reference: { rows: 6, sorted: [0.1, 1] },
    current: { rows: 1, sorted: [9007199254740992] },
  });
});

test('both tables share one list of categories; empty texts are missing, numbers and booleans go by their text', async () => {
  const reference = `SELECT unnest(['b', '', NULL, 'é', 'b']) AS t, unnest([true, false, NULL, true, true]) AS f, 3 AS i`;
  const current = `SELECT unnest(['a', 'é']) AS t, unnest([true, NULL]) AS f, 12::TINYINT AS i`;
  const columns = [same('t', 'categorical'), same('f', 'categorical'), same('i', 'categorical')];
  const of = (index: number, a: Record<string, number>, b: Record<string, number>) => ({
    index,
    reference: { rows: 5, counts: a },
    current: { rows: 2, counts: b },
  });
  expect(await pairsOf({ reference, current }, columns)).toEqual([
    of(0, { a: 0, b: 2, é: 1 }, { a: 1, b: 0, é: 1 }),
    of(1, { false: 1, true: 3 }, { false: 0, true: 1 }),
    of(2, { 12: 0, 3: 5 }, { 12: 2, 3: 0 }),
  ]);
});

test('more columns than are read at once, numbers first, of tables without rows or values too', async () => {
  const names = Array.from({ length: 19 }, (_, index) => `c${index}`);
  const select = (value: string, from: string) =>
    `SELECT ${names.map((name, index) => `${value.replace('i', `i + ${index}`)} AS ${name}`).join(', ')} ${from}`;
  const numbers = { reference: select('i', 'FROM range(3) t(i)'), current: select('1', 'WHERE false') };
  const pairs = await pairsOf(
    numbers,
    names.map((name) => same(name, 'numeric')),
  );
  expect(pairs).toEqual(
    names.map((_, index) => ({
      index,
      reference: { rows: 3, sorted: [index, index + 1, index + 2] },
      current: { rows: 0, sorted: [] },
    })),
  );
  const nothing = { reference: select('NULL::VARCHAR', ''), current: select(`''`, '') };
  const empty = await pairsOf(
    nothing,
    names.map((name) => same(name, 'categorical')),
  );
  const none = { rows: 1, counts: {} };
  expect(empty).toEqual(names.map((_, index) => ({ index, reference: none, current: none })));
  const mixed = { reference: `SELECT 'x' AS t, 1 AS n`, current: `SELECT 'x' AS t, 2 AS n` };
  const order = await pairsOf(mixed, [same('t', 'categorical'), same('n', 'numeric')]);
  expect(order.map(({ index }) => index)).toEqual([1, 0]);
});

test('of tables of any length the rows of each stay with it', async () => {
  const rows = 200_000; // two row groups of the file, which DuckDB reads at once
  const numbers = (from: number) =>
    `SELECT ${[0, 1, 2].map((column) => `i + ${from} + ${column} AS c${column}`).join(', ')} FROM range(${rows}) t(i)`;
  const columns = [0, 1, 2].map((index) => same(`c${index}`, 'numeric'));
  const pairs = await pairsOf({ reference: numbers(0), current: numbers(10_000_000) }, columns);
  const long = await pairsOf(
    { reference: numbers(0).replace(`${rows}`, '700000'), current: numbers(10_000_000) },
    columns,
  );
  const ends = ({ rows: count, sorted }: { rows: number; sorted: number[] }) => [count, sorted[0], sorted.at(-1)];
  const endsOf = (pair: (typeof pairs)[number]) => [pair.reference, pair.current].map((side) => ends(side as never));
  expect(pairs.map(endsOf)).toEqual(
    [0, 1, 2].map((c) => [
      [rows, c, rows - 1 + c],
      [rows, 10_000_000 + c, 10_000_000 + rows - 1 + c],
    ]),
  );
  expect(long.map(endsOf)).toEqual(
    [0, 1, 2].map((c) => [
      [700_000, c, 699_999 + c],
      [rows, 10_000_000 + c, 10_000_000 + rows - 1 + c],
    ]),
  );
});

test('who stops early, or fails, leaves no query behind', async () => {
  const select = 'SELECT range AS a, range AS b, range::VARCHAR AS t FROM range(50000)';
  const folder = await testFolder();
  const tables = { reference: join(folder, 'reference.parquet'), current: join(folder, 'reference.parquet') };
  await withDuckDb(limits(folder), async (db) => {
    await db.run(`COPY (${select}) TO ${quoteText(tables.reference)} (FORMAT parquet)`);
    const columns = [same('a', 'numeric'), same('t', 'categorical')];
    const rows = await rowsOf(db, tables);
    for await (const { index } of eachColumnPair(db, tables, columns, rows)) {
      expect(index).toBe(0);
      break;
    }
    const broken = [...columns, { ...same('t', 'categorical'), current: 'no_such_column' }];
    const readAll = async () => {
      for await (const { index } of eachColumnPair(db, tables, broken, rows)) expect(index).toBeLessThan(2);
    };
    await expect(readAll()).rejects.toThrow('no_such_column');
    expect(await db.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
