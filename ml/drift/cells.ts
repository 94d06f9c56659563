import type { PreparedCategories, PreparedNumbers } from './prepared-column.ts';

const BINNED_ABOVE = 20;

/** Rows of both samples over the same cells: bins between `edges`, numbers, or categories. */
export interface Cells {
  readonly reference: Float64Array;
  readonly current: Float64Array;
  readonly edges?: Float64Array;
  readonly numbers?: Float64Array;
  readonly names?: readonly string[];
}

/**
 * Evidently's `get_binned_data`: a cell for each number, or equal bins over both samples where the reference has more than
 * 20 different numbers.
 */
export function numericCells(reference: PreparedNumbers, current: PreparedNumbers): Cells {
  return countDistinct(reference.sorted, BINNED_ABOVE) > BINNED_ABOVE
    ? binnedCells(reference, current)
    : distinctCells(reference, current);
}

/** Equal bins over both samples, as many as numpy's `histogram_bin_edges(bins='sturges')` makes for `size` values. */
export function binnedCells(
  reference: PreparedNumbers,
  current: PreparedNumbers,
  size = reference.count + current.count,
): Cells {
  const least = Math.min(reference.sorted[0] ?? Infinity, current.sorted[0] ?? Infinity);
  const greatest = Math.max(reference.sorted.at(-1) ?? -Infinity, current.sorted.at(-1) ?? -Infinity);
  const edges = sturgesEdges(least, greatest, size);
  return { reference: histogram(reference, edges), current: histogram(current, edges), edges };
}

/** A cell for each number that either sample has, ascending. */
export function distinctCells(reference: PreparedNumbers, current: PreparedNumbers): Cells {
  const [a, b] = [reference.sorted, current.sorted];
  const numbers: number[] = [];
  const counts: { reference: number[]; current: number[] } = { reference: [], current: [] };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    const [firstOfA, firstOfB] = [i, j];
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    numbers.push(value);
    counts.reference.push(i - firstOfA);
    counts.current.push(j - firstOfB);
  }
  return {
    reference: toRows(Float64Array.from(counts.reference), reference),
    current: toRows(Float64Array.from(counts.current), current),
    numbers: Float64Array.from(numbers),
  };
}

/** A cell for each category that either sample has, by name; the samples may number their categories differently. */
export function categoryCells(reference: PreparedCategories, current: PreparedCategories): Cells {
  const rows = new Map<string, [number, number]>();
  reference.categories.forEach((name, code) => rows.set(name, [reference.counts[code]!, 0]));
  current.categories.forEach((name, code) => rows.set(name, [rows.get(name)?.[0] ?? 0, current.counts[code]!]));
  const met = [...rows].filter(([, [a, b]]) => a + b > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    reference: Float64Array.from(met, ([, [count]]) => count),
    current: Float64Array.from(met, ([, [, count]]) => count),
    names: met.map(([name]) => name),
  };
}

/** How many different numbers an ascending sample has; stops counting above `most`. */
export function countDistinct(sorted: Float64Array, most = Infinity): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length && distinct <= most; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

/** How many different numbers both samples have together; stops counting above `most`. */
export function countDistinctOfBoth(a: Float64Array, b: Float64Array, most = Infinity): number {
  let distinct = 0;
  for (let i = 0, j = 0; (i < a.length || j < b.length) && distinct <= most; distinct++) {
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
  }
  return distinct;
}

function sturgesEdges(least: number, greatest: number, size: number): Float64Array {
  if (least === greatest) return Float64Array.of(least - 0.5, greatest + 0.5);
  const range = greatest - least;
  const width = range / (Math.log2(size) + 1);
  const bins = width === 0 ? 1 : Math.ceil(range / width);
  const edges = Float64Array.from({ length: bins + 1 }, (_, bin) => bin * (range / bins) + least);
  edges[bins] = greatest;
  return edges;
}

/** Rows from each edge up to the next; the last bin includes its end. */
function histogram(column: PreparedNumbers, edges: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length - 1);
  for (let bin = 0, from = 0; bin < counts.length; bin++) {
    const until = bin === counts.length - 1 ? column.sorted.length : countBelow(column.sorted, edges[bin + 1]!);
    counts[bin] = until - from;
    from = until;
  }
  return toRows(counts, column);
}

/** How many values of an ascending sample are less than `limit`. */
export function countBelow(sorted: Float64Array, limit: number): number {
  let from = 0;
  let until = sorted.length;
  while (from < until) {
    const middle = (from + until) >>> 1;
    if (sorted[middle]! < limit) from = middle + 1;
    else until = middle;
  }
  return from;
}

/** A sketch's quantiles stand for more values than they are. */
function toRows(counts: Float64Array, { sorted, count }: PreparedNumbers): Float64Array {
  return sorted.length === count ? counts : counts.map((value) => (value / sorted.length) * count);
}
