import type { PreparedNumbers } from '../prepared-column.ts';
import { expandQuantiles, mergeQuantiles, quantilesOf, quantilesOfCounts, type Quantiles } from './quantiles.ts';

const MOST_COUNTED = 64;
const EXPANDED = 100_000;

/** A column of numbers in a few kilobytes. Plain JSON. */
export interface NumericSketch {
  readonly type: 'numeric';
  /** Missing ones included. */
  readonly rows: number;
  readonly count: number;
  readonly mean: number;
  /** Sum of squared distances from the mean. */
  readonly m2: number;
  /** null without values. */
  readonly range: readonly [number, number] | null;
  /** Up to 64 different numbers are counted, ascending, without error; above that there are `quantiles`. */
  readonly counts: readonly (readonly [number, number])[] | null;
  readonly quantiles: Quantiles | null;
}

export function sketchNumbers({ rows, count, sorted, mean, deviation }: PreparedNumbers): NumericSketch {
  const counts = countsOf(sorted);
  return {
    type: 'numeric',
    rows,
    count,
    mean,
    m2: deviation ** 2 * count,
    range: count === 0 ? null : [sorted[0]!, sorted.at(-1)!],
    counts,
    quantiles: counts ? null : quantilesOf(sorted),
  };
}

function countsOf(sorted: Float64Array): [number, number][] | null {
  const counts: [number, number][] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) counts.at(-1)![1]++;
    else if (counts.push([sorted[i]! + 0, 1]) > MOST_COUNTED) return null; // + 0: −0 is no other number
  }
  return counts;
}

/** The sketch of both columns' rows. Means and squares as Chan, Golub & LeVeque (1979) add them up. */
export function mergeNumbers(a: NumericSketch, b: NumericSketch): NumericSketch {
  const count = a.count + b.count;
  const share = count === 0 ? 0 : b.count / count;
  const counts = a.counts && b.counts ? addCounts(a.counts, b.counts) : null;
  return {
    type: 'numeric',
    rows: a.rows + b.rows,
    count,
    mean: a.mean + (b.mean - a.mean) * share,
    m2: a.m2 + b.m2 + (b.mean - a.mean) ** 2 * a.count * share,
    range:
      a.range && b.range ? [Math.min(a.range[0], b.range[0]), Math.max(a.range[1], b.range[1])] : (a.range ?? b.range),
    counts,
    quantiles: counts ? null : mergeQuantiles(quantiles(a), quantiles(b)),
  };
}

function addCounts(a: NonNullable<NumericSketch['counts']>, b: NonNullable<NumericSketch['counts']>) {
  const total = new Map(a);
  for (const [value, count] of b) total.set(value, (total.get(value) ?? 0) + count);
  return total.size > MOST_COUNTED ? null : [...total].sort(([x], [y]) => x - y);
}

const quantiles = (sketch: NumericSketch): Quantiles => sketch.quantiles ?? quantilesOfCounts(sketch.counts ?? []);

/** What comparisons need, as if of the column itself; its ranks are off by at most the sketch's error. */
export function numbersOf(sketch: NumericSketch): PreparedNumbers {
  const sorted = expandQuantiles(quantiles(sketch), EXPANDED);
  if (sketch.range) {
    sorted[0] = sketch.range[0];
    sorted[sorted.length - 1] = sketch.range[1];
  }
  const { rows, count, mean, m2 } = sketch;
  return { type: 'numeric', rows, count, sorted, mean, deviation: Math.sqrt(m2 / Math.max(count, 1)) };
}
