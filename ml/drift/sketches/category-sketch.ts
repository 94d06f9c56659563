import type { PreparedCategories } from '../prepared-column.ts';

const MOST_CATEGORIES = 1000;

/** Rows of each category. Plain JSON. */
export interface CategorySketch {
  readonly type: 'categorical';
  /** Missing ones included. */
  readonly rows: number;
  readonly count: number;
  /** By name; up to 1,000 categories without error, above that the frequent ones (Misra–Gries). */
  readonly counts: readonly (readonly [string, number])[];
  /** A count is at most this much too low, and a category that is not there had at most so many rows. */
  readonly count_error: number;
}

export function sketchCategories({ rows, count, categories, counts }: PreparedCategories): CategorySketch {
  const met = categories.map((name, code): [string, number] => [name, counts[code]!]).filter(([, n]) => n > 0);
  return { type: 'categorical', rows, count, ...frequent(met, 0) };
}

export function mergeCategories(a: CategorySketch, b: CategorySketch): CategorySketch {
  const total = new Map(a.counts);
  for (const [name, count] of b.counts) total.set(name, (total.get(name) ?? 0) + count);
  return {
    type: 'categorical',
    rows: a.rows + b.rows,
    count: a.count + b.count,
    ...frequent([...total], a.count_error + b.count_error),
  };
}

/** Takes the 1,001st greatest count from all and drops what is left without (Agarwal et al., "Mergeable summaries", 2012). */
function frequent(counts: [string, number][], error: number): Pick<CategorySketch, 'counts' | 'count_error'> {
  const taken = counts.map(([, count]) => count).sort((a, b) => b - a)[MOST_CATEGORIES] ?? 0;
  const left = counts
    .map(([name, count]): [string, number] => [name, count - taken])
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { counts: left, count_error: error + taken };
}

/** What comparisons need. Rows of categories that were dropped count as values, though of no category that is named. */
export function categoriesOf({ rows, count, counts }: CategorySketch): PreparedCategories {
  return {
    type: 'categorical',
    rows,
    count,
    categories: counts.map(([name]) => name),
    counts: Float64Array.from(counts, ([, n]) => n),
  };
}
