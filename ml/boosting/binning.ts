import type { Matrix } from '../matrix.ts';
import { sortColumn, type SortedColumn } from './radix-sort.ts';

/** Values have bins 0–254; a missing value is bin 255 in every column. */
export const MAX_VALUE_BINS = 255;
export const MISSING_BIN = 255;
/** Largest finite float32: as a cut it has every finite value on its left. */
export const FLOAT32_MAX = 3.4028234663852886e38;

export interface BinnedMatrix {
  readonly rows: number;
  readonly features: number;
  /** Four features per word: feature f of a row is byte f % 4 (lowest first) of `words[f >> 2][row]`. */
  readonly words: readonly Uint32Array[];
  /**
   * Per feature, ascending float32 cuts: bin <= b exactly where value <= cuts[b]. The last cut is FLOAT32_MAX (splits
   * missing from present), unless the column holds Infinity, which no finite cut has on its left.
   */
  readonly cuts: readonly Float32Array[];
}

/** Bins every column, by quantiles where it has more than 255 distinct values, else with one bin per value. */
export function binMatrix({ rows, data }: Matrix): BinnedMatrix {
  const words = Array.from({ length: Math.ceil(data.length / 4) }, () => new Uint32Array(rows));
  const cuts = data.map((column, feature) => {
    const sorted = sortColumn(column);
    const ends = binEnds(sorted.values);
    writeBins(words[feature >> 2]!, (feature & 3) * 8, sorted, ends);
    return cutsAt(sorted.values, ends);
  });
  return { rows, features: data.length, words, cuts };
}

/** Where each bin ends (exclusive) in the sorted values. Equal values never lie in two bins. */
function binEnds(sorted: Float32Array): number[] {
  const exact = countDistinct(sorted) <= MAX_VALUE_BINS;
  const ends: number[] = [];
  let start = 0;
  let next = runEnd(sorted, 0);
  while (next < sorted.length) {
    const end = next;
    next = runEnd(sorted, end);
    const share = (sorted.length - start) / (MAX_VALUE_BINS - ends.length);
    // A value more frequent than that gets a bin of its own, so what comes before it is closed early.
    const closes = end - start >= share || next - end >= share;
    if (exact || (closes && ends.length < MAX_VALUE_BINS - 1)) {
      ends.push(end);
      start = end;
    }
  }
  if (sorted.length > 0) ends.push(sorted.length);
  return ends;
}

function countDistinct(sorted: Float32Array): number {
  let count = sorted.length > 0 ? 1 : 0;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] !== sorted[i - 1]) count++;
  return count;
}

function runEnd(sorted: Float32Array, start: number): number {
  const value = sorted[start];
  let end = start + 1;
  while (end < sorted.length && sorted[end] === value) end++;
  return end;
}

function writeBins(words: Uint32Array, shift: number, { rows }: SortedColumn, ends: readonly number[]): void {
  // Rows that have no value keep the missing bin; the others are set from it.
  for (let row = 0; row < words.length; row++) words[row]! |= MISSING_BIN << shift;
  let start = 0;
  ends.forEach((end, bin) => {
    const flip = (MISSING_BIN ^ bin) << shift;
    for (let i = start; i < end; i++) words[rows[i]!]! ^= flip;
    start = end;
  });
}

function cutsAt(sorted: Float32Array, ends: readonly number[]): Float32Array {
  const cuts = ends.slice(0, -1).map((end) => cutBetween(sorted[end - 1]!, sorted[end]!));
  return Float32Array.from(sorted.at(-1) === Infinity ? cuts : [...cuts, FLOAT32_MAX]);
}

/** A finite float32 with left <= cut < right: the midpoint where rounding allows it. */
export function cutBetween(left: number, right: number): number {
  const middle = Math.fround(left + (right - left) / 2);
  const cut = left <= middle && middle < right ? middle : left;
  return cut === -Infinity ? -FLOAT32_MAX : cut;
}
