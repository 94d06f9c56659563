import type { ClassWeights } from '../class-weights.ts';

/**
 * First and second derivatives of the weighted log loss by the log-odds, per row, on a fixed grid fine enough that every
 * sum over rows is exact in a float64. So a histogram is the same in whatever order its rows were added, and the larger
 * child's is exactly parent minus smaller child.
 *
 * `packed` holds a row's second derivative plus `unit`: a sum over n rows is n · unit + Σ hessian, where Σ hessian < unit.
 */
export interface Gradients {
  readonly gradient: Float64Array;
  readonly packed: Float64Array;
  readonly unit: number;
}

export function createGradients(rows: number, weights: ClassWeights): Gradients {
  const bound = rows * Math.max(...weights);
  return {
    gradient: new Float64Array(rows),
    packed: new Float64Array(rows),
    // p · (1 − p) <= 1/4, so the hessians of all rows sum to at most a quarter of the bound.
    unit: powerOfTwoAbove(bound / 4),
  };
}

/** Fills `gradients` for the log-odds `scores`: p − y and p · (1 − p), each times the weight of the row's class. */
export function updateGradients(
  { gradient, packed, unit }: Gradients,
  scores: Float64Array,
  target: Uint8Array,
  weights: ClassWeights,
): void {
  const rows = scores.length;
  const [negative, positive] = weights;
  // Adding 1.5 · 2^52 · step rounds to a multiple of step; taking it away leaves the rounded number.
  const snapGradient = 1.5 * 2 * powerOfTwoAbove(rows * Math.max(negative, positive));
  const snapPacked = 1.5 * powerOfTwoAbove(rows) * unit * 2;
  for (let row = 0; row < rows; row++) {
    const probability = 1 / (1 + Math.exp(-scores[row]!));
    const label = target[row]!;
    const weight = label === 1 ? positive : negative;
    gradient[row] = weight * (probability - label) + snapGradient - snapGradient;
    packed[row] = unit + (weight * probability * (1 - probability) + snapPacked - snapPacked);
  }
}

const powerOfTwoAbove = (value: number) => 2 ** (Math.floor(Math.log2(value)) + 1);
