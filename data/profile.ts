import { orderStatistics } from './order-statistics.ts';

/** Plain JSON; no NaN or Infinity. Counts are of rows. */
export interface TableProfile {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnProfile>>;
}
export type ColumnProfile = NumericProfile | CategoryProfile;

export interface NumericProfile {
  readonly type: 'numeric';
  /** Rows with a value. */
  readonly count: number;
  readonly nulls: number;
  /** An estimate, within about 2 %. */
  readonly distinct: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of the sample (n − 1); 0 for one value. */
  readonly std: number | null;
  /** Order statistics at floor(q · (count − 1)), by percentage; empty without values. */
  readonly quantiles: Readonly<Record<string, number>>;
  /** counts[i] is of edges[i] <= x < edges[i + 1]; the last bin holds its upper edge too. */
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] };
}

export interface CategoryProfile {
  readonly type: 'boolean' | 'categorical_string' | 'categorical_integer' | 'target';
  readonly count: number;
  readonly nulls: number;
  readonly distinct: number;
  /** The most frequent values, at most 20; `other` rows have the rest. */
  readonly top: readonly { readonly value: string | number | boolean; readonly count: number }[];
  readonly other: number;
}

export const PROFILE_QUANTILES = [0, 1, 5, 25, 50, 75, 95, 99, 100];
const BINS = 24;
const TOP = 20;

/** @param values float32, NaN where missing */
export function numericProfile(values: Float32Array): NumericProfile {
  const { count, mean, std } = moments(values);
  const nulls = values.length - count;
  if (count === 0) {
    return {
      type: 'numeric',
      count,
      nulls,
      distinct: 0,
      min: null,
      max: null,
      mean: null,
      std: null,
      quantiles: {},
      histogram: { edges: [], counts: [] },
    };
  }
  const ranks = PROFILE_QUANTILES.map((percent) => Math.floor((percent / 100) * (count - 1)));
  const found = orderStatistics(values, ranks);
  const quantiles = Object.fromEntries(PROFILE_QUANTILES.map((percent, i) => [String(percent), found[i]!]));
  const min = found[0]!;
  const max = found.at(-1)!;
  const edges = histogramEdges(min, found[1]!, found.at(-2)!, max);
  return {
    type: 'numeric',
    count,
    nulls,
    distinct: Math.min(estimateDistinct(values), count),
    min,
    max,
    mean,
    std,
    quantiles,
    histogram: { edges, counts: binCounts(values, edges) },
  };
}

/** @param counts rows of every value, in any order; values without rows are left out */
export function categoryProfile(
  type: CategoryProfile['type'],
  values: readonly (string | number | boolean)[],
  counts: ArrayLike<number>,
  nulls: number,
): CategoryProfile {
  const seen = values.map((value, i) => ({ value, count: counts[i]! })).filter((entry) => entry.count > 0);
  seen.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  const count = seen.reduce((sum, entry) => sum + entry.count, 0);
  const top = seen.slice(0, TOP);
  return {
    type,
    count,
    nulls,
    distinct: seen.length,
    top,
    other: count - top.reduce((sum, entry) => sum + entry.count, 0),
  };
}

function moments(values: Float32Array) {
  let count = 0;
  let sum = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === value) {
      count++;
      sum += value;
    }
  }
  const mean = sum / count;
  let squares = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === value) squares += (value - mean) * (value - mean);
  }
  return { count, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 };
}

// Linear counting (Whang et al., 1990): a slot per hash; the share of empty slots tells how many values there were.
function estimateDistinct(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const slots = Math.max(1 << 16, 2 ** Math.ceil(Math.log2(values.length + 1)));
  const shift = 32 - Math.log2(slots);
  const seen = new Uint8Array(slots);
  for (let row = 0; row < values.length; row++) {
    if (values[row] === values[row]) seen[mix(bits[row]!) >>> shift] = 1;
  }
  let used = 0;
  for (let slot = 0; slot < slots; slot++) used += seen[slot]!;
  return Math.round(-slots * Math.log(Math.max(slots - used, 1) / slots));
}

/** The finaliser of MurmurHash3. */
function mix(bits: number): number {
  let h = bits ^ (bits >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

// Equal bins over the middle 98 %, so that one outlier does not push all rows into one bin.
function histogramEdges(min: number, low: number, high: number, max: number): number[] {
  const inner = Array.from({ length: BINS - 1 }, (_, i) => low + ((high - low) * i) / (BINS - 2));
  const edges = [min, ...inner, max].filter((edge, i, all) => i === 0 || edge > all[i - 1]!);
  return edges.length === 1 ? [min, min] : edges;
}

function binCounts(values: Float32Array, edges: readonly number[]): number[] {
  const bounds = Float64Array.from(edges);
  const last = bounds.length - 2;
  const counts = new Float64Array(last + 1);
  // The inner bins are equal: a guess from the width is at most one bin off.
  const low = bounds[Math.min(1, last)]!;
  const scale = last > 2 ? (last - 1) / (bounds[last]! - low) : 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value) continue;
    let bin = Math.max(0, Math.min(last, 1 + Math.floor((value - low) * scale)));
    while (bin > 0 && value < bounds[bin]!) bin--;
    while (bin < last && value >= bounds[bin + 1]!) bin++;
    counts[bin]! += 1;
  }
  return [...counts];
}
