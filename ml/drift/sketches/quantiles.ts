const CAPACITY = 512;

/**
 * A sample that stands for many numbers (a KLL sketch with deterministic compaction): a number at level h stands for 2^h of
 * them. Plain JSON.
 */
export interface Quantiles {
  /** Ascending within each level. */
  readonly levels: readonly (readonly number[])[];
  /** How often each level was halved: halving takes the other half each time, so that errors cancel. */
  readonly halvings: readonly number[];
  /** No rank is further off than this many values. */
  readonly rank_error: number;
}

/** At most about 512 of the numbers, each in the middle of those it stands for. */
export function quantilesOf(sorted: Float64Array): Quantiles {
  const levels: number[][] = [];
  let top = 0;
  while (sorted.length / 2 ** top > CAPACITY) top++;
  let from = 0;
  for (let level = top; level >= 0; level--) {
    const weight = 2 ** level;
    levels[level] = [];
    for (; from + weight <= sorted.length; from += weight) levels[level]!.push(sorted[from + (weight >>> 1)]!);
  }
  return { levels, halvings: levels.map(() => 0), rank_error: 2 ** top - 1 };
}

/** Numbers that were counted, without error: a count is a sum of powers of two. */
export function quantilesOfCounts(counts: readonly (readonly [number, number])[]): Quantiles {
  const levels: number[][] = [[]];
  for (const [value, count] of counts)
    for (let level = 0, rest = count; rest > 0; level++, rest = Math.floor(rest / 2)) {
      levels[level] ??= [];
      if (rest % 2 === 1) levels[level]!.push(value);
    }
  return { levels, halvings: levels.map(() => 0), rank_error: 0 };
}

/** What stands for the numbers of both. */
export function mergeQuantiles(a: Quantiles, b: Quantiles): Quantiles {
  const levels: number[][] = [];
  const halvings: number[] = [];
  let error = a.rank_error + b.rank_error;
  for (let level = 0; level < Math.max(a.levels.length, b.levels.length, levels.length); level++) {
    const all = [...(levels[level] ?? []), ...(a.levels[level] ?? []), ...(b.levels[level] ?? [])].sort(
      (x, y) => x - y,
    );
    halvings[level] = (a.halvings[level] ?? 0) + (b.halvings[level] ?? 0);
    if (all.length <= CAPACITY) levels[level] = all;
    else {
      // An odd one stays; of each pair of neighbours one goes up and stands for both.
      const pairs = all.length >>> 1;
      const taken = halvings[level]!++ % 2;
      levels[level + 1] = Array.from({ length: pairs }, (_, pair) => all[2 * pair + taken]!);
      levels[level] = all.slice(2 * pairs);
      error += 2 ** level;
    }
  }
  return { levels, halvings, rank_error: error };
}

/** All numbers again, ascending, each as often as it stands for others; evenly spaced `most` of them where they are more. */
export function expandQuantiles({ levels }: Quantiles, most: number): Float64Array {
  const weighted = levels
    .flatMap((values, level) => values.map((value) => ({ value, weight: 2 ** level })))
    .sort((a, b) => a.value - b.value);
  const count = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const expanded = new Float64Array(Math.min(count, most));
  let filled = 0;
  let passed = 0;
  for (const { value, weight } of weighted) {
    passed += weight;
    const until = Math.round((passed / count) * expanded.length);
    expanded.fill(value, filled, until);
    filled = until;
  }
  return expanded;
}
