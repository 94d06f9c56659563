import type { Matrix } from '../matrix.ts';
import { sortedOrder } from './radix-sort.ts';

/** Values have bins 0–254; a missing value is bin 255 in every column. */
export const MAX_VALUE_BINS = 255;
export const MISSING_BIN = 255;
/** Largest finite float32: as a cut it has every finite value on its left. */
export const FLOAT32_MAX = 3.4028234663852886e38;

export interface BinnedMatrix {
  readonly rows: number;
  readonly features: number;
  /** Four features per word: feature f of a row is byte f % 4 of `words[f >> 2][row]`. */
  readonly words: readonly Uint32Array[];
  /**
   * Per feature, ascending float32 cuts: bin <= b exactly where value <= cuts[b]. The last cut is FLOAT32_MAX (splits
   * missing from present), unless the column holds Infinity, which no finite cut has on its left.
   */
  readonly cuts: readonly Float32Array[];
}

/** Quantile bins of every column. Columns with at most 255 distinct values get one bin per value. */
export function binMatrix({ rows, data }: Matrix): BinnedMatrix {
  const words = Array.from({ length: Math.ceil(data.length / 4) }, () => new Uint32Array(rows));
  const cuts = data.map((column, feature) => {
    const order = sortedOrder(column);
    const bounds = valueBins(column, order);
    writeBins(words[feature >> 2]!, (feature & 3) * 8, order, bounds);
    return cutsAt(column, order, bounds);
  });
  return { rows, features: data.length, words, cuts };
}

/** Ends (exclusive positions in `order`) of the bins. Equal values never lie in two bins. */
function valueBins(column: Float32Array, order: Uint32Array): number[] {
  const ends = runEnds(column, order);
  if (ends.length <= MAX_VALUE_BINS) return ends;
  const bounds: number[] = [];
  let start = 0;
  for (let run = 0; run < ends.length; run++) {
    const end = ends[run]!;
    const target = (order.length - start) / (MAX_VALUE_BINS - bounds.length);
    const next = (ends[run + 1] ?? end) - end;
    // A frequent value gets a bin of its own, so what is before it is closed early.
    if (end - start >= target || (next >= target && bounds.length < MAX_VALUE_BINS - 1)) {
      bounds.push(end);
      start = end;
    }
  }
  if (start < order.length) bounds.push(order.length);
  return bounds;
}

function runEnds(column: Float32Array, order: Uint32Array): number[] {
  const ends: number[] = [];
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || column[order[i]!] !== column[order[i - 1]!]) ends.push(i);
  }
  return ends;
}

function writeBins(words: Uint32Array, shift: number, order: Uint32Array, bounds: readonly number[]): void {
  // Rows that are not in `order` are missing.
  for (let row = 0; row < words.length; row++) words[row] = words[row]! | (MISSING_BIN << shift);
  let start = 0;
  for (let bin = 0; bin < bounds.length; bin++) {
    const flip = (MISSING_BIN ^ bin) << shift;
    for (let i = start; i < bounds[bin]!; i++) words[order[i]!]! ^= flip;
    start = bounds[bin]!;
  }
}

function cutsAt(column: Float32Array, order: Uint32Array, bounds: readonly number[]): Float32Array {
  const cuts = bounds.slice(0, -1).map((end) => cutBetween(column[order[end - 1]!]!, column[order[end]!]!));
  const largest = order.length === 0 ? 0 : column[order[order.length - 1]!]!;
  return Float32Array.from(largest === Infinity ? cuts : [...cuts, FLOAT32_MAX]);
}

/** A finite float32 with left <= cut < right: the midpoint where rounding allows it. */
export function cutBetween(left: number, right: number): number {
  const middle = Math.fround(left + (right - left) / 2);
  const cut = left <= middle && middle < right ? middle : left;
  return cut === -Infinity ? -FLOAT32_MAX : cut;
}
