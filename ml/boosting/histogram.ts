import type { BinnedMatrix } from './binning.ts';
import type { Gradients } from './gradients.ts';

/**
 * Sums per bin, in one array per four features as the words of a BinnedMatrix: of feature f and bin b, the gradients at
 * `[f >> 2][(f & 3) * 512 + 2 * b]` and the packed hessians and counts right after.
 */
export type Histogram = readonly Float64Array[];
export const FEATURE_STRIDE = 512;
const WORD_STRIDE = 4 * FEATURE_STRIDE;

/** Rows' derivatives in the order of the rows, so that every pass over the rows reads them in sequence. */
export type RowSums = Pick<Gradients, 'gradient' | 'packed'>;

/** Histograms of a tree in growth, reused from tree to tree. */
export interface HistogramPool {
  take(): Histogram;
  give(histogram: Histogram): void;
  /** Are more histograms taken than the pool has bytes for? */
  isShort(): boolean;
}

export function createHistogramPool({ words }: BinnedMatrix, bytes: number): HistogramPool {
  const free: Histogram[] = [];
  let taken = 0;
  return {
    take() {
      taken++;
      return free.pop() ?? words.map(() => new Float64Array(WORD_STRIDE));
    },
    give(histogram) {
      taken--;
      free.push(histogram);
    },
    isShort: () => taken * words.length * WORD_STRIDE * Float64Array.BYTES_PER_ELEMENT > bytes,
  };
}

/** Replaces `histogram` by the sums over `rows`. `scratch` has room for them. */
export function buildHistogram(
  { rows: allRows, words }: BinnedMatrix,
  gradients: Gradients,
  rows: Uint32Array,
  scratch: RowSums,
  histogram: Histogram,
): void {
  const ordered = rows.length === allRows ? gradients : gather(gradients, rows, scratch);
  for (let word = 0; word < words.length; word++) {
    const sums = histogram[word]!.fill(0);
    addRows(words[word]!, rows, ordered.gradient, ordered.packed, sums);
  }
}

/** parent − child, written over `parent`: the histogram of the other child. */
export function subtractHistogram(parent: Histogram, child: Histogram): void {
  for (let word = 0; word < parent.length; word++) subtract(parent[word]!, child[word]!);
}

function subtract(from: Float64Array, sums: Float64Array): void {
  for (let slot = 0; slot < from.length; slot++) from[slot]! -= sums[slot]!;
}

function gather({ gradient, packed }: Gradients, rows: Uint32Array, to: RowSums): RowSums {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    to.gradient[i] = gradient[row]!;
    to.packed[i] = packed[row]!;
  }
  return to;
}

// The hot loop. One load gives four bins, and the four features' sums lie apart, so that no addition waits for the one
// before it.
function addRows(
  words: Uint32Array,
  rows: Uint32Array,
  gradient: Float64Array,
  packed: Float64Array,
  sums: Float64Array,
): void {
  for (let i = 0; i < rows.length; i++) {
    const bins = words[rows[i]!]!;
    const g = gradient[i]!;
    const h = packed[i]!;
    let slot = (bins & 255) << 1;
    sums[slot]! += g;
    sums[slot | 1]! += h;
    slot = FEATURE_STRIDE | ((bins >>> 7) & 510);
    sums[slot]! += g;
    sums[slot | 1]! += h;
    slot = (2 * FEATURE_STRIDE) | ((bins >>> 15) & 510);
    sums[slot]! += g;
    sums[slot | 1]! += h;
    slot = (3 * FEATURE_STRIDE) | ((bins >>> 23) & 510);
    sums[slot]! += g;
    sums[slot | 1]! += h;
  }
}
