import type { Cells } from './cells.ts';

const MOST_NAMED = 10;

/**
 * Categories of the current sample that the reference does not have: the ten most frequent of them, and the share of rows
 * with any.
 * @param rows of the current sample, missing values included
 */
export function newCategories(cells: Cells, rows: number): { values: string[]; share: number } {
  const found = (cells.names ?? [])
    .map((name, cell) => ({ name, known: cells.reference[cell]! > 0, count: cells.current[cell]! }))
    .filter(({ known, count }) => !known && count > 0)
    .sort((a, b) => b.count - a.count);
  const total = found.reduce((sum, { count }) => sum + count, 0);
  return { values: found.slice(0, MOST_NAMED).map(({ name }) => name), share: rows === 0 ? 0 : total / rows };
}
