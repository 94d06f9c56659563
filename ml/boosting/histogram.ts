import type { BinnedMatrix } from './binning.ts';
import type { Gradients } from './gradients.ts';

export const BINS = 256;
const WORD_BINS = 4 * BINS;

/** Sums per feature and bin, feature after feature. `packed` counts rows too, see Gradients. */
export interface Histogram {
  readonly gradient: Float64Array;
  readonly packed: Float64Array;
}

/** Histograms of a tree in growth, reused from tree to tree. */
export interface HistogramPool {
  take(): Histogram;
  give(histogram: Histogram): void;
}

export function createHistogramPool({ words }: BinnedMatrix): HistogramPool {
  const free: Histogram[] = [];
  const length = words.length * WORD_BINS;
  const create = () => ({ gradient: new Float64Array(length), packed: new Float64Array(length) });
  return { take: () => free.pop() ?? create(), give: (histogram) => void free.push(histogram) };
}

/** Rows' derivatives in the order of the rows, so that every pass over the rows reads them in sequence. */
export interface Ordered {
  readonly gradient: Float64Array;
  readonly packed: Float64Array;
}

/** Replaces `histogram` by the sums over `rows`. `scratch` has room for them. */
export function buildHistogram(
  { words }: BinnedMatrix,
  gradients: Gradients,
  rows: Uint32Array,
  scratch: Ordered,
  { gradient, packed }: Histogram,
): void {
  gather(gradients, rows, scratch);
  gradient.fill(0);
  packed.fill(0);
  for (let word = 0; word < words.length; word++) {
    addFourFeatures(words[word]!, rows, scratch.gradient, scratch.packed, gradient, packed, word * WORD_BINS);
  }
}

function gather({ gradient, packed }: Gradients, rows: Uint32Array, to: Ordered): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    to.gradient[i] = gradient[row]!;
    to.packed[i] = packed[row]!;
  }
}

// The hot loop. One load gives four bins, and the four features' sums lie apart, so no addition waits for the one before.
function addFourFeatures(
  words: Uint32Array,
  rows: Uint32Array,
  rowGradient: Float64Array,
  rowPacked: Float64Array,
  gradient: Float64Array,
  packed: Float64Array,
  offset: number,
): void {
  const second = offset + BINS;
  const third = second + BINS;
  const fourth = third + BINS;
  for (let i = 0; i < rows.length; i++) {
    const bins = words[rows[i]!]!;
    const g = rowGradient[i]!;
    const h = rowPacked[i]!;
    let slot = offset + (bins & 255);
    gradient[slot]! += g;
    packed[slot]! += h;
    slot = second + ((bins >>> 8) & 255);
    gradient[slot]! += g;
    packed[slot]! += h;
    slot = third + ((bins >>> 16) & 255);
    gradient[slot]! += g;
    packed[slot]! += h;
    slot = fourth + (bins >>> 24);
    gradient[slot]! += g;
    packed[slot]! += h;
  }
}

/** parent − child, written over `parent`: the histogram of the other child. */
export function subtractHistogram(parent: Histogram, child: Histogram): void {
  for (let slot = 0; slot < parent.gradient.length; slot++) {
    parent.gradient[slot]! -= child.gradient[slot]!;
    parent.packed[slot]! -= child.packed[slot]!;
  }
}
