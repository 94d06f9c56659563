import type { DuckDb } from '../lib/duckdb.ts';
import { categoryProfile, numericProfile, type ColumnProfile, type TableProfile } from './profile.ts';
import type { TableColumn } from './table-schema.ts';
import { countValues, eachColumn, rowCount } from './typed-columns.ts';

/** Profile of a typed Parquet table, a column at a time. */
export async function profileTable(
  db: DuckDb,
  parquet: string,
  columns: readonly TableColumn[],
): Promise<TableProfile> {
  const rows = await rowCount(db, parquet);
  const numeric = columns.filter(({ type }) => type === 'numeric');
  const values = eachColumn(db, { parquet, rows }, numeric.map((numbers) => ({ numbers }))); // prettier-ignore
  const profiles = new Map<string, ColumnProfile>();
  for (const { name } of numeric) profiles.set(name, numericProfile((await values.next()).value as Float32Array));
  for (const column of columns.filter(({ type }) => type !== 'numeric')) {
    profiles.set(column.name, await profileCategories(db, parquet, column));
  }
  return { rows, columns: Object.fromEntries(columns.map(({ name }) => [name, profiles.get(name)!])) };
}

async function profileCategories(db: DuckDb, parquet: string, column: TableColumn): Promise<ColumnProfile> {
  const { values, counts, nulls } = await countValues(db, parquet, column);
  return categoryProfile(
    column.type as Exclude<TableColumn['type'], 'numeric'>,
    values.map(valueOf(column)),
    counts,
    nulls,
  );
}

/** A value of a column from its text. */
export const valueOf =
  ({ type }: TableColumn) =>
  (text: string): string | number | boolean => {
    if (type === 'boolean') return text === 'true';
    return type === 'categorical_integer' ? Number(text) : text;
  };
