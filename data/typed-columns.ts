import { quoteName, quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { TableColumn } from './table-schema.ts';

/** The distinct values of a typed column as text, in binary order, and how many rows have each. */
export interface ValueCounts {
  readonly values: readonly string[];
  readonly counts: readonly number[];
  readonly nulls: number;
}
/** The distinct values of a column, known to DuckDB as an ENUM type for the life of the database. */
export interface Dictionary {
  readonly column: string;
  readonly values: readonly string[];
  readonly type: string;
}
type NamedColumn = Pick<TableColumn, 'name' | 'type'>;

export const tableOf = (parquet: string) => `read_parquet(${quoteText(parquet)})`;

export const rowCount = async (db: DuckDb, parquet: string): Promise<number> =>
  Number((await db.rows<{ n: string }>(`SELECT count(*) AS n FROM ${tableOf(parquet)}`))[0]!.n);

/** Fills `out` from row 0. Numbers, and booleans as 0/1, are float32 with NaN where missing. */
export async function readNumbers(db: DuckDb, parquet: string, column: NamedColumn, out: Float32Array): Promise<void> {
  const name = quoteName(column.name);
  const number = column.type === 'boolean' ? `CAST(CAST(${name} AS TINYINT) AS FLOAT)` : name;
  await fill(db, `SELECT coalesce(${number}, 'nan'::FLOAT) FROM ${tableOf(parquet)}`, out);
}

export async function countValues(db: DuckDb, parquet: string, column: NamedColumn): Promise<ValueCounts> {
  const found = await db.rows<{ value: string | null; n: string }>(
    `SELECT CAST(${quoteName(column.name)} AS VARCHAR) AS value, count(*) AS n
     FROM ${tableOf(parquet)} GROUP BY 1 ORDER BY 1`,
  );
  const present = found.filter(({ value }) => value !== null);
  const missing = found.find(({ value }) => value === null);
  return {
    values: present.map(({ value }) => value!),
    counts: present.map(({ n }) => Number(n)),
    nulls: Number(missing?.n ?? 0),
  };
}

export async function createDictionary(db: DuckDb, parquet: string, column: string): Promise<Dictionary> {
  const type = quoteName(`values of ${column}`);
  const name = quoteName(column);
  const distinct = `SELECT DISTINCT CAST(${name} AS VARCHAR) FROM ${tableOf(parquet)} WHERE ${name} IS NOT NULL`;
  await db.run(`CREATE OR REPLACE TYPE ${type} AS ENUM (${distinct} ORDER BY 1)`);
  const values = await db.rows<{ value: string }>(`SELECT unnest(enum_range(NULL::${type}))::VARCHAR AS value`);
  return { column, values: values.map(({ value }) => value), type };
}

/** Fills `out` from row 0 with the index of every value in the dictionary, −1 where missing. */
export async function readCodes(
  db: DuckDb,
  parquet: string,
  { column, type }: Dictionary,
  out: Int32Array,
): Promise<void> {
  const code = `CAST(enum_code(CAST(CAST(${quoteName(column)} AS VARCHAR) AS ${type})) AS INTEGER)`;
  await fill(db, `SELECT coalesce(${code}, -1) FROM ${tableOf(parquet)}`, out);
}

// Stops when `out` is full: a LIMIT would make DuckDB stream five times slower.
async function fill(db: DuckDb, sql: string, out: Float32Array | Int32Array): Promise<void> {
  let row = 0;
  for await (const { rows, columns } of db.chunks(sql)) {
    const left = out.length - row;
    out.set(rows > left ? columns[0]!.subarray(0, left) : columns[0]!, row);
    row += rows;
    if (row >= out.length) return;
  }
}
