import { compareColumn } from './compare.ts';
import type { ColumnDrift, DriftSettings } from './drift-report.ts';
import type { PreparedCategories } from './prepared-column.ts';

/** Rows of each class. */
export type ClassCounts = Readonly<Record<string, number>>;

const TARGET = 'target';

/** The labels of a window beside those of the reference; null with fewer of them than `min_rows`, or when `target` is ignored. */
export function targetDrift(reference: ClassCounts, current: ClassCounts, settings: DriftSettings): ColumnDrift | null {
  const rows = { reference: total(reference), current: total(current) };
  if (rows.current < settings.min_rows || settings.ignore.includes(TARGET)) return null;
  const categories = [...new Set([...Object.keys(reference), ...Object.keys(current)])].sort();
  return compareColumn(column(categories, reference), column(categories, current), {
    ...{ column: TARGET, role: 'target', settings, rows },
  });
}

const total = (counts: ClassCounts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

const column = (categories: readonly string[], counts: ClassCounts): PreparedCategories => ({
  ...{ type: 'categorical', rows: total(counts), count: total(counts), categories },
  counts: Float64Array.from(categories, (category) => counts[category] ?? 0),
});
