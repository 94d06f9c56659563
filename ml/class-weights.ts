import type { ClassWeight } from './train-hooks.ts';

/** Weight of a row of the negative and of the positive class. */
export type ClassWeights = readonly [negative: number, positive: number];

/**
 * `balanced` gives both classes the same total weight, and all rows together the weight `rows`: rows / (2 · rows of the class).
 * Throws a RangeError unless the target has both classes.
 */
export function classWeights(target: Uint8Array, policy: ClassWeight): ClassWeights {
  const positives = target.reduce((sum, label) => sum + label, 0);
  const negatives = target.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new RangeError(`training rows: ${positives} positive and ${negatives} negative; both classes are needed`);
  }
  return policy === 'balanced' ? [target.length / (2 * negatives), target.length / (2 * positives)] : [1, 1];
}

/** Log-odds of the positive class in the weighted rows. */
export function baseLogOdds(target: Uint8Array, weights: ClassWeights): number {
  const positives = target.reduce((sum, label) => sum + label, 0);
  return Math.log((positives * weights[1]) / ((target.length - positives) * weights[0]));
}

/** Mean weighted log loss of log-odds `scores`. log(1 + e^−m) is taken so that neither tail overflows. */
export function weightedLogLoss(scores: Float64Array, target: Uint8Array, weights: ClassWeights): number {
  let loss = 0;
  let total = 0;
  for (let row = 0; row < scores.length; row++) {
    const label = target[row]!;
    const margin = label === 1 ? scores[row]! : -scores[row]!;
    const weight = weights[label]!;
    loss += weight * (Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(-margin, 0));
    total += weight;
  }
  return loss / total;
}
