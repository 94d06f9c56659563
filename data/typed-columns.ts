import { quoteName, quoteText, type DuckDb, type NumericArray } from '../lib/duckdb.ts';
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

/** What a column is read as: a float32 per row, or the index of its value in a dictionary. */
export type ColumnRead = { readonly numbers: NamedColumn } | { readonly codes: Dictionary };

/** Fills `out` from row 0. Numbers, and booleans as 0/1, are float32 with NaN where missing. */
export const readNumbers = (db: DuckDb, parquet: string, numbers: NamedColumn, out: Float32Array): Promise<void> =>
  fill(db, parquet, [{ numbers }], [out]);

/** Fills `out` from row 0 with the index of every value in the dictionary, −1 where missing. */
export const readCodes = (db: DuckDb, parquet: string, codes: Dictionary, out: Int32Array): Promise<void> =>
  fill(db, parquet, [{ codes }], [out]);

// One query over eight columns costs little more than over one, most of it being paid per chunk of 2,048 rows.
const GROUP_COLUMNS = 8;
const GROUP_BYTES = 16 * 2 ** 20;

/**
 * Reads whole columns, a few at a time, in the order of `reads`. Yields the values of each, as `readNumbers` or
 * `readCodes` gives them; an array is overwritten once the generator goes on. At least one column is held, at most 16 MiB of more.
 */
export async function* eachColumn(
  db: DuckDb,
  { parquet, rows }: { readonly parquet: string; readonly rows: number },
  reads: readonly ColumnRead[],
): AsyncGenerator<Float32Array | Int32Array> {
  const size = Math.max(1, Math.min(GROUP_COLUMNS, reads.length, Math.floor(GROUP_BYTES / (4 * rows))));
  const buffers = Array.from({ length: size }, () => new Float32Array(rows));
  for (let start = 0; start < reads.length; start += size) {
    const group = reads.slice(start, start + size);
    const outs = group.map((read, i) => ('codes' in read ? new Int32Array(buffers[i]!.buffer) : buffers[i]!));
    await fill(db, parquet, group, outs);
    yield* outs;
  }
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

const fill = (
  db: DuckDb,
  parquet: string,
  reads: readonly ColumnRead[],
  outs: readonly (Float32Array | Int32Array)[],
): Promise<void> => fillArrays(db, parquet, reads.map(readSql), outs);

/** Fills each array from row 0 with the values of its SQL expression, which are of the array's type and never null. */
export async function fillArrays(
  db: DuckDb,
  parquet: string,
  expressions: readonly string[],
  outs: readonly NumericArray[],
): Promise<void> {
  const length = outs[0]!.length;
  let row = 0;
  // Stops when the arrays are full: a LIMIT would make DuckDB stream five times slower.
  for await (const { rows, columns } of db.chunks(`SELECT ${expressions.join(', ')} FROM ${tableOf(parquet)}`)) {
    const wanted = Math.min(rows, length - row);
    outs.forEach((out, i) => out.set(wanted < rows ? columns[i]!.subarray(0, wanted) : columns[i]!, row));
    row += rows;
    if (row >= length) return;
  }
}

function readSql(read: ColumnRead): string {
  if ('codes' in read) {
    const { column, type } = read.codes;
    return `coalesce(CAST(enum_code(CAST(CAST(${quoteName(column)} AS VARCHAR) AS ${type})) AS INTEGER), -1)`;
  }
  const name = quoteName(read.numbers.name);
  const number = read.numbers.type === 'boolean' ? `CAST(CAST(${name} AS TINYINT) AS FLOAT)` : name;
  return `coalesce(${number}, 'nan'::FLOAT)`;
}
