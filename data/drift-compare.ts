import type { DuckDb } from '../lib/duckdb.ts';
import { compareColumn } from '../ml/drift/compare.ts';
import type { ColumnDrift, DriftReport, DriftSettings } from '../ml/drift/drift-report.ts';
import type { PreparedColumn } from '../ml/drift/prepared-column.ts';
import { driftReport } from '../ml/drift/report.ts';
import { eachColumnPair, rowsOf, type ComparedColumn, type ComparedTables } from './drift-columns.ts';

export interface RoleColumn extends ComparedColumn {
  readonly role: ColumnDrift['role'];
}

/**
 * The report of two tables, made a column at a time.
 * @param visit is shown each column of both, too, though not in their order
 */
export async function compareTables(
  db: DuckDb,
  tables: ComparedTables,
  columns: readonly RoleColumn[],
  settings: DriftSettings,
  visit: (column: RoleColumn, reference: PreparedColumn, current: PreparedColumn) => void = () => undefined,
): Promise<DriftReport> {
  const rows = await rowsOf(db, tables);
  const compared = new Array<ColumnDrift>(columns.length);
  for await (const { index, reference, current } of eachColumnPair(db, tables, columns, rows)) {
    const column = columns[index]!;
    compared[index] = compareColumn(reference, current, { column: column.name, role: column.role, settings, rows });
    visit(column, reference, current);
  }
  return driftReport(compared, settings, rows);
}
