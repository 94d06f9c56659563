import type { ClassWeights } from '../class-weights.ts';

/** Sums of `gradient` and `packed` over a set of rows. */
export interface NodeSums {
  readonly gradient: number;
  readonly packed: number;
}

/**
 * First and second derivatives of the weighted log loss by the log-odds, per row, rounded to a grid on which every sum
 * over rows is exact in a float64. So a histogram is the same in whatever order its rows were added, and parent minus
 * smaller child is exactly the larger child.
 *
 * `packed` holds a row's second derivative plus `unit`: a sum over n rows is n · unit + Σ hessian, where Σ hessian < unit.
 * One addition then counts the rows too.
 */
export interface Gradients {
  readonly gradient: Float64Array;
  readonly packed: Float64Array;
  readonly unit: number;
}

export const rowsOf = (packed: number, unit: number) => Math.floor(packed / unit);
export const hessianOf = (packed: number, unit: number) => packed - rowsOf(packed, unit) * unit;

export function createGradients(rows: number): Gradients {
  return {
    gradient: new Float64Array(rows),
    packed: new Float64Array(rows),
    // The rows' weights sum to `rows` and p · (1 − p) <= 1/4; twice that leaves room for rounding.
    unit: powerOfTwoAbove(rows / 2),
  };
}

/** Fills `gradients` for the log-odds `scores`, p − y and p · (1 − p) times the row's weight, and answers their sums. */
export function updateGradients(
  { gradient, packed, unit }: Gradients,
  scores: Float64Array,
  target: Uint8Array,
  [negative, positive]: ClassWeights,
): NodeSums {
  // Adding 1.5 · 2^52 · step and taking it away rounds to a multiple of step; 2^52 steps are above the sum of all rows.
  const gradientSnap = 1.5 * powerOfTwoAbove(scores.length);
  const packedSnap = 1.5 * powerOfTwoAbove(scores.length + 1) * unit;
  let gradientSum = 0;
  let packedSum = 0;
  for (let row = 0; row < scores.length; row++) {
    const probability = 1 / (1 + Math.exp(-scores[row]!));
    const label = target[row]!;
    const weight = label === 1 ? positive : negative;
    const g = weight * (probability - label) + gradientSnap - gradientSnap;
    const h = unit + (weight * probability * (1 - probability) + packedSnap - packedSnap);
    gradient[row] = g;
    packed[row] = h;
    gradientSum += g;
    packedSum += h;
  }
  return { gradient: gradientSum, packed: packedSum };
}

const powerOfTwoAbove = (value: number) => 2 ** (Math.floor(Math.log2(value)) + 1);
