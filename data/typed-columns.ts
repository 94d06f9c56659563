import { quoteName, quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { TableColumn } from './table-schema.ts';

/** The distinct values of a typed column as text, in binary order, and how many rows have each. */
export interface Dictionary {
  readonly values: readonly string[];
  readonly counts: readonly number[];
  readonly nulls: number;
}

/** Numbers, and booleans as 0/1, are float32 with NaN where missing. */
export async function readNumbers(db: DuckDb, parquet: string, column: TableColumn, out: Float32Array): Promise<void> {
  const name = quoteName(column.name);
  const number = column.type === 'boolean' ? `CAST(CAST(${name} AS TINYINT) AS FLOAT)` : name;
  let row = 0;
  const sql = `SELECT coalesce(${number}, 'nan'::FLOAT) FROM read_parquet(${quoteText(parquet)})`;
  for await (const { rows, columns } of db.chunks(sql)) {
    out.set(columns[0]!, row);
    row += rows;
  }
}

export async function readDictionary(db: DuckDb, parquet: string, column: TableColumn): Promise<Dictionary> {
  const found = await db.rows<{ value: string | null; n: string }>(
    `SELECT CAST(${quoteName(column.name)} AS VARCHAR) AS value, count(*) AS n
     FROM read_parquet(${quoteText(parquet)}) GROUP BY 1 ORDER BY 1`,
  );
  const present = found.filter(({ value }) => value !== null);
  const missing = found.find(({ value }) => value === null);
  return {
    values: present.map(({ value }) => value!),
    counts: present.map(({ n }) => Number(n)),
    nulls: Number(missing?.n ?? 0),
  };
}

/** Index of every row's value in the dictionary's `values`, −1 where missing. */
export async function readCodes(db: DuckDb, parquet: string, column: TableColumn, out: Int32Array): Promise<void> {
  const name = quoteName(column.name);
  const type = quoteName(`dictionary of ${column.name}`);
  const relation = `read_parquet(${quoteText(parquet)})`;
  const distinct = `SELECT DISTINCT CAST(${name} AS VARCHAR) FROM ${relation} WHERE ${name} IS NOT NULL ORDER BY 1`;
  await db.run(`CREATE OR REPLACE TYPE ${type} AS ENUM (${distinct})`);
  let row = 0;
  const code = `CAST(enum_code(CAST(CAST(${name} AS VARCHAR) AS ${type})) AS INTEGER)`;
  for await (const { rows, columns } of db.chunks(`SELECT coalesce(${code}, -1) FROM ${relation}`)) {
    out.set(columns[0]!, row);
    row += rows;
  }
  await db.run(`DROP TYPE ${type}`);
}

export const rowCount = async (db: DuckDb, parquet: string): Promise<number> =>
  Number((await db.rows<{ n: string }>(`SELECT count(*) AS n FROM read_parquet(${quoteText(parquet)})`))[0]!.n);
