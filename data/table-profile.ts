import type { DuckDb } from '../lib/duckdb.ts';
import { categoryProfile, numericProfile, type ColumnProfile, type TableProfile } from './profile.ts';
import type { TableColumn } from './table-schema.ts';
import { countValues, readNumbers, rowCount } from './typed-columns.ts';

/** Profile of a typed Parquet table, a column at a time. */
export async function profileTable(
  db: DuckDb,
  parquet: string,
  columns: readonly TableColumn[],
): Promise<TableProfile> {
  const rows = await rowCount(db, parquet);
  const numbers = new Float32Array(rows);
  const profiles: [string, ColumnProfile][] = [];
  for (const column of columns) {
    if (column.type === 'numeric') await readNumbers(db, parquet, column, numbers);
    const profile = column.type === 'numeric' ? numericProfile(numbers) : await profileCategories(db, parquet, column);
    profiles.push([column.name, profile]);
  }
  return { rows, columns: Object.fromEntries(profiles) };
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
