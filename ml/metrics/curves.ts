import type { Ranking } from './ranking.ts';

const MAX_POINTS = 200;

/** Area under the ROC curve: the chance that a positive row outscores a negative one, ties counting half. */
export function rocAuc({ positives, negatives, truePositives, falsePositives }: Ranking): number | null {
  if (positives === 0 || negatives === 0) return null;
  let pairs = 0;
  let tp = 0;
  let fp = 0;
  for (let group = 0; group < truePositives.length; group++) {
    pairs += (falsePositives[group]! - fp) * (tp + truePositives[group]!);
    tp = truePositives[group]!;
    fp = falsePositives[group]!;
  }
  return pairs / (2 * positives * negatives);
}

/** Average precision, Σ (recall_k − recall_(k−1)) · precision_k: scikit-learn's `average_precision_score`. */
export function prAuc({ positives, negatives, truePositives, falsePositives }: Ranking): number | null {
  if (positives === 0 || negatives === 0) return null;
  let sum = 0;
  let tp = 0;
  for (let group = 0; group < truePositives.length; group++) {
    const reached = truePositives[group]!;
    if (reached > tp) sum += ((reached - tp) * reached) / (reached + falsePositives[group]!);
    tp = reached;
  }
  return sum / positives;
}

/** `threshold` is null at the curve's origin, where no row is called positive. */
export type RocPoint = { fpr: number; tpr: number; threshold: number | null };
export type PrPoint = { recall: number; precision: number; threshold: number };

/** At most 200 points, evenly spread along the curve, both ends included. Empty when only one class is present. */
export function rocCurve(ranking: Ranking): RocPoint[] {
  const { positives, negatives, thresholds, truePositives, falsePositives } = ranking;
  if (positives === 0 || negatives === 0) return [];
  const points = spreadAlong(ranking).map((group) => ({
    fpr: falsePositives[group]! / negatives,
    tpr: truePositives[group]! / positives,
    threshold: thresholds[group]!,
  }));
  return [{ fpr: 0, tpr: 0, threshold: null }, ...points];
}

/** At most 200 points by ascending recall. Empty when only one class is present. */
export function prCurve(ranking: Ranking): PrPoint[] {
  const { positives, negatives, thresholds, truePositives, falsePositives } = ranking;
  if (positives === 0 || negatives === 0) return [];
  return spreadAlong(ranking).map((group) => ({
    recall: truePositives[group]! / positives,
    precision: truePositives[group]! / (truePositives[group]! + falsePositives[group]!),
    threshold: thresholds[group]!,
  }));
}

/** Groups at even steps of fpr + tpr, which runs from 0 to 2 along the ROC curve; always the last one. */
function spreadAlong({ positives, negatives, truePositives, falsePositives }: Ranking): number[] {
  const last = truePositives.length - 1;
  const step = 2 / (MAX_POINTS - 2);
  const chosen: number[] = [];
  let next = 0;
  for (let group = 0; group < last; group++) {
    const travelled = truePositives[group]! / positives + falsePositives[group]! / negatives;
    if (travelled < next) continue;
    chosen.push(group);
    next = (Math.floor(travelled / step) + 1) * step;
  }
  return [...chosen, last];
}
