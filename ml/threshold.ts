import { rankRows, type Scores } from './metrics/ranking.ts';

/**
 * The threshold with the best F1 on these rows, as a float32 number; the highest one among equals. It lies midway between two
 * neighbouring probabilities, so that a difference in the last digit between two runtimes flips no decision.
 * Throws RangeError when no row is positive: F1 is then undefined.
 */
export function maxF1Threshold(target: Uint8Array, probability: Scores): number {
  const { positives, thresholds, truePositives, falsePositives } = rankRows(target, Float32Array.from(probability));
  if (positives === 0) throw new RangeError('max_f1 needs at least one positive row');
  let best = 0;
  let bestF1 = -1;
  for (let group = 0; group < thresholds.length; group++) {
    const f1 = (2 * truePositives[group]!) / (positives + truePositives[group]! + falsePositives[group]!);
    if (f1 <= bestF1) continue;
    best = group;
    bestF1 = f1;
  }
  return midway(thresholds[best]!, thresholds[best + 1] ?? 0);
}

function midway(above: number, below: number): number {
  const middle = Math.fround((above + below) / 2);
  return middle > below ? middle : above;
}
