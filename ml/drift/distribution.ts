import type { Cells } from './cells.ts';
import type { Distribution } from './drift-report.ts';

const MOST_CATEGORIES = 50;

/** Cells for a chart. Of many categories the most frequent are named, the others are one: "(12 others)". */
export function distributionOf({ reference, current, edges, numbers, names }: Cells): Distribution {
  const counts = { reference: [...reference], current: [...current] };
  if (edges) return { edges: [...edges], ...counts };
  const categories = names ?? Array.from(numbers ?? [], String);
  if (categories.length <= MOST_CATEGORIES) return { categories, ...counts };
  const order = categories
    .map((_, cell) => cell)
    .sort((a, b) => reference[b]! + current[b]! - reference[a]! - current[a]! || a - b);
  const shown = order.slice(0, MOST_CATEGORIES - 1);
  const others = order.slice(MOST_CATEGORIES - 1);
  const pick = (all: Float64Array) => [
    ...shown.map((cell) => all[cell]!),
    others.reduce((sum, cell) => sum + all[cell]!, 0),
  ];
  return {
    categories: [...shown.map((cell) => categories[cell]!), `(${others.length} others)`],
    reference: pick(reference),
    current: pick(current),
  };
}
