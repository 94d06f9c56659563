import { quoteName, type DuckDb } from '../lib/duckdb.ts';
import type { ColumnValues } from '../ml/drift/column-values.ts';
import { fillArrays, rowCount, tableOf } from './typed-columns.ts';

/** Paths of two Parquet files. */
export interface ComparedTables {
  readonly reference: string;
  readonly current: string;
}
/** A column of both, and the SQL of its values in each: of numbers, or of what is told apart by its text. */
export interface ComparedColumn {
  readonly name: string;
  readonly type: ColumnValues['type'];
  readonly reference: string;
  readonly current: string;
}
export interface ColumnPair {
  readonly name: string;
  readonly reference: ColumnValues;
  readonly current: ColumnValues;
}

// A query over several columns costs little more than over one, most of it being paid per chunk of 2,048 rows.
const GROUP_COLUMNS = 8;
const GROUP_BYTES = 4 * 2 ** 20;

/**
 * The values of both tables, column by column; infinite numbers and empty texts are missing ones. The arrays are
 * overwritten once the generator goes on: one pair is held at a time, or a few while they are at most 16 MiB.
 */
export async function* eachColumnPair(
  db: DuckDb,
  tables: ComparedTables,
  columns: readonly ComparedColumn[],
): AsyncGenerator<ColumnPair> {
  const rows = [await rowCount(db, tables.reference), await rowCount(db, tables.current)] as const;
  const fitting = Math.floor(GROUP_BYTES / (8 * Math.max(1, rows[0] + rows[1])));
  const size = Math.max(1, Math.min(GROUP_COLUMNS, columns.length, fitting));
  const buffers = Array.from({ length: size }, () => rows.map((count) => new Float64Array(count)));
  for (let start = 0; start < columns.length; start += size) {
    const group: GroupColumn[] = [];
    for (const [index, column] of columns.slice(start, start + size).entries()) {
      const [reference, current] = buffers[index] as [Float64Array, Float64Array];
      group.push({ ...(await readOf(db, tables, column)), reference, current });
    }
    await fillSide(db, tables.reference, group, 'reference');
    await fillSide(db, tables.current, group, 'current');
    for (const column of group) {
      const { name } = column.column;
      yield { name, reference: valuesOf(column, 'reference'), current: valuesOf(column, 'current') };
    }
  }
}

interface ColumnRead {
  readonly column: ComparedColumn;
  readonly sql: { readonly [Side in keyof ComparedTables]: string };
  /** null for numbers. */
  readonly categories: readonly string[] | null;
}
interface GroupColumn extends ColumnRead {
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

async function readOf(db: DuckDb, tables: ComparedTables, column: ComparedColumn): Promise<ColumnRead> {
  if (column.type === 'numeric') {
    const sql = { reference: numberSql(column.reference), current: numberSql(column.current) };
    return { column, sql, categories: null };
  }
  const type = quoteName(`categories of ${column.name}`);
  await db.run(
    `CREATE OR REPLACE TYPE ${type} AS ENUM (
       SELECT value FROM (${categoriesSql(tables, column)}) ORDER BY 1)`,
  );
  const found = await db.rows<{ value: string }>(`SELECT unnest(enum_range(NULL::${type}))::VARCHAR AS value`);
  const code = (value: string) => `coalesce(CAST(enum_code(CAST(${textSql(value)} AS ${type})) AS INTEGER), -1)`;
  const sql = { reference: code(column.reference), current: code(column.current) };
  return { column, sql, categories: found.map(({ value }) => value) };
}

/** SELECT of the distinct texts of a column in both tables, as `value`. */
export const categoriesSql = (tables: ComparedTables, { reference, current }: ComparedColumn) =>
  `SELECT DISTINCT value FROM (
     SELECT DISTINCT ${textSql(reference)} AS value FROM ${tableOf(tables.reference)}
     UNION ALL SELECT DISTINCT ${textSql(current)} FROM ${tableOf(tables.current)}) WHERE value IS NOT NULL`;

const fillSide = (db: DuckDb, parquet: string, group: readonly GroupColumn[], side: keyof ComparedTables) =>
  fillArrays(
    db,
    parquet,
    group.map(({ sql }) => sql[side]),
    group.map((column) => (column.categories ? codesIn(column[side]) : column[side])),
  );

const valuesOf = (column: GroupColumn, side: keyof ComparedTables): ColumnValues =>
  column.categories
    ? { type: 'categorical', codes: codesIn(column[side]), categories: column.categories }
    : { type: 'numeric', values: column[side] };

const codesIn = ({ buffer, length }: Float64Array) => new Int32Array(buffer, 0, length);

const textSql = (value: string) => `nullif(CAST(${value} AS VARCHAR), '')`;
const numberSql = (value: string) => {
  const number = `CAST(${value} AS DOUBLE)`;
  return `CASE WHEN isfinite(${number}) THEN ${number} ELSE 'nan'::DOUBLE END`;
};
