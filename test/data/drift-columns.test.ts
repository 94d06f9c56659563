import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eachColumnPair, type ComparedColumn } from '../../data/drift-columns.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import type { ColumnValues } from '../../ml/drift/column-values.ts';
import { limits, testFolder } from './examples.ts';

const same = (name: string, type: ColumnValues['type']): ComparedColumn => ({
  name,
  type,
  reference: `"${name}"`,
  current: `"${name}"`,
});
/** Rows of texts in the place of codes, null where missing. */
const shown = (column: ColumnValues) =>
  column.type === 'numeric'
    ? [...column.values]
    : [...column.codes].map((code) => (code < 0 ? null : column.categories[code]!));

async function pairsOf(selects: { reference: string; current: string }, columns: readonly ComparedColumn[]) {
  const folder = await testFolder();
  const tables = { reference: join(folder, 'reference.parquet'), current: join(folder, 'current.parquet') };
  return await withDuckDb(limits(folder), async (db) => {
    await db.run(`COPY (${selects.reference}) TO ${quoteText(tables.reference)} (FORMAT parquet)`);
    await db.run(`COPY (${selects.current}) TO ${quoteText(tables.current)} (FORMAT parquet)`);
    const pairs: { name: string; reference: unknown[]; current: unknown[]; categories?: readonly string[] }[] = [];
    for await (const { name, reference, current } of eachColumnPair(db, tables, columns)) {
      const categories = reference.type === 'categorical' ? { categories: reference.categories } : {};
      pairs.push({ name, reference: shown(reference), current: shown(current), ...categories });
    }
    return pairs;
  });
}

test('numbers keep their bits, and what is no finite number is missing', async () => {
  const reference = `SELECT unnest([1::DOUBLE, NULL, 'nan', 'inf', '-inf', 0.1]) AS n`;
  const [pair] = await pairsOf({ reference, current: 'SELECT 9007199254740993::BIGINT AS n' }, [same('n', 'numeric')]);
  expect(pair).toEqual({ name: 'n', reference: [1, NaN, NaN, NaN, NaN, 0.1], current: [9007199254740992] });
});

test('both tables share one list of categories; empty texts are missing, numbers and booleans go by their text', async () => {
  const reference = `SELECT unnest(['b', '', NULL, 'é', 'b']) AS t, unnest([true, false, NULL, true, true]) AS f, 3 AS i`;
  const current = `SELECT unnest(['a', 'é']) AS t, unnest([true, NULL]) AS f, 12::TINYINT AS i`;
  const columns = [same('t', 'categorical'), same('f', 'categorical'), same('i', 'categorical')];
  expect(await pairsOf({ reference, current }, columns)).toEqual([
    { name: 't', reference: ['b', null, null, 'é', 'b'], current: ['a', 'é'], categories: ['a', 'b', 'é'] },
    {
      name: 'f',
      reference: ['true', 'false', null, 'true', 'true'],
      current: ['true', null],
      categories: ['false', 'true'],
    },
    { name: 'i', reference: ['3', '3', '3', '3', '3'], current: ['12', '12'], categories: ['12', '3'] },
  ]);
});

test('more columns than are read at once, of tables without rows or values too', async () => {
  const names = Array.from({ length: 19 }, (_, index) => `c${index}`);
  const select = (value: string, from: string) =>
    `SELECT ${names.map((name) => `${value} AS ${name}`).join(', ')} ${from}`;
  const numbers = { reference: select('i', 'FROM range(3) t(i)'), current: select('1', 'WHERE false') };
  const pairs = await pairsOf(
    numbers,
    names.map((name) => same(name, 'numeric')),
  );
  expect(pairs).toEqual(names.map((name) => ({ name, reference: [0, 1, 2], current: [] })));
  const nothing = { reference: select('NULL::VARCHAR', ''), current: select(`''`, '') };
  const empty = await pairsOf(
    nothing,
    names.map((name) => same(name, 'categorical')),
  );
  expect(empty).toEqual(names.map((name) => ({ name, reference: [null], current: [null], categories: [] })));
});
