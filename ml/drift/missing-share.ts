import type { PreparedColumn } from './prepared-column.ts';

/** Share of rows without a value; 0 without rows. */
export function missingShare({ rows, count }: PreparedColumn): number {
  return rows === 0 ? 0 : (rows - count) / rows;
}
