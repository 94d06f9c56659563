import { quoteName, withDuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import { classTextSql } from './table-schema.ts';
import { tableOf } from './typed-columns.ts';

/** Rows of each class in a Parquet file's column, as `classText`, without the missing ones; null when there is no such column. */
export const countLabels = (
  parquet: string,
  column: string,
  duckdb: DuckDbOptions,
): Promise<Record<string, number> | null> =>
  withDuckDb(duckdb, async (db) => {
    const table = tableOf(parquet);
    const described = await db.rows<{ column_name: string }>(`DESCRIBE FROM ${table}`);
    if (!described.some(({ column_name }) => column_name === column)) return null;
    const label = classTextSql(`CAST(${quoteName(column)} AS VARCHAR)`);
    const rows = await db.rows<{ label: string; rows: number }>(
      `SELECT ${label} AS label, count(*)::INTEGER AS rows FROM ${table} WHERE ${label} IS NOT NULL GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(rows.map((row) => [row.label, row.rows]));
  });
