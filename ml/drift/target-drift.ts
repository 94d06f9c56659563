import type { CategoricalValues } from './column-values.ts';
import { compareColumn } from './compare.ts';
import type { ColumnDrift, DriftSettings } from './drift-report.ts';

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

function column(categories: readonly string[], counts: ClassCounts): CategoricalValues {
  const codes = new Int32Array(total(counts));
  let next = 0;
  categories.forEach((category, code) => codes.fill(code, next, (next += counts[category] ?? 0)));
  return { type: 'categorical', codes, categories };
}
