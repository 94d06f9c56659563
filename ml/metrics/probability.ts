import { requireSameRows, type Scores } from './ranking.ts';

/** Mean −log of the probability given to what happened, clipped by the array's machine epsilon as scikit-learn does. */
export function logLoss(target: Uint8Array, probability: Scores): number | null {
  requireSameRows(target, probability);
  const rowLoss = logLossOfRow(probability);
  return meanOver(target, probability, rowLoss);
}

/** Mean squared distance between probability and outcome. */
export function brier(target: Uint8Array, probability: Scores): number | null {
  requireSameRows(target, probability);
  return meanOver(target, probability, brierOfRow);
}

export type RowLoss = (target: number, probability: number) => number;

export const brierOfRow: RowLoss = (target, probability) => (probability - target) ** 2;

export function logLossOfRow(probability: Scores): RowLoss {
  const epsilon = probability instanceof Float32Array ? 2 ** -23 : 2 ** -52;
  return (target, p) => -Math.log(Math.max(target === 1 ? p : 1 - p, epsilon));
}

function meanOver(target: Uint8Array, probability: Scores, loss: RowLoss): number | null {
  if (target.length === 0) return null;
  let sum = 0;
  for (let row = 0; row < target.length; row++) sum += loss(target[row]!, probability[row]!);
  return sum / target.length;
}
