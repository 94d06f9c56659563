import { brierOfRow, logLossOfRow, type RowLoss } from './metrics/probability.ts';
import { descendingOrder, requireSameRows, type Scores } from './metrics/ranking.ts';
import { createRandom, type Random } from './random.ts';

export type BootstrapMetric = 'roc_auc' | 'pr_auc' | 'log_loss' | 'brier';
/** Challenger minus production, with the bounds of its 95 % percentile interval. */
export type DifferenceInterval = { estimate: number; low: number; high: number; resamples: number };

/** A metric of a resample in which row i occurs `counts[i]` times; NaN when the resample does not define it. */
type Statistic = (counts: Uint16Array) => number;

/**
 * Paired bootstrap of a metric's difference between two models on the same rows (Efron's percentile interval, 95 %).
 * Each resample costs O(rows): rows are sorted once and resampled as counts. Resamples of one class only are redrawn.
 * @returns null when the rows do not define the metric: none at all, or one class only for roc_auc and pr_auc
 */
export function bootstrapDifference(input: {
  readonly target: Uint8Array;
  readonly challenger: Scores;
  readonly production: Scores;
  readonly metric: BootstrapMetric;
  readonly resamples?: number;
  readonly seed: number;
}): DifferenceInterval | null {
  const { target, challenger, production, metric, resamples = 1000 } = input;
  requireSameRows(target, challenger);
  requireSameRows(target, production);
  if (resamples < 1) throw new RangeError(`resamples must be at least 1, not ${resamples}`);
  const difference = differenceOf(metric, target, challenger, production);
  const counts = new Uint16Array(target.length);
  const estimate = difference(counts.fill(1));
  if (Number.isNaN(estimate)) return null;
  const random = createRandom(input.seed);
  const drawn = Float64Array.from({ length: resamples }, () => drawDefined(difference, counts, random)).sort();
  return { estimate, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975), resamples };
}

function differenceOf(metric: BootstrapMetric, target: Uint8Array, a: Scores, b: Scores): Statistic {
  const [challenger, production] = inSamePrecision(a, b);
  if (metric === 'brier') return meanDifference(target, challenger, production, () => brierOfRow);
  if (metric === 'log_loss') return meanDifference(target, challenger, production, logLossOfRow);
  const ofChallenger = rankStatistic(metric, target, challenger);
  const ofProduction = rankStatistic(metric, target, production);
  return (counts) => ofChallenger(counts) - ofProduction(counts);
}

/** Ties and the clipping of the log loss depend on precision, which must not tell two models apart. */
const inSamePrecision = (a: Scores, b: Scores): [Scores, Scores] =>
  a.constructor === b.constructor ? [a, b] : [Float32Array.from(a), Float32Array.from(b)];

function meanDifference(
  target: Uint8Array,
  challenger: Scores,
  production: Scores,
  lossFor: (scores: Scores) => RowLoss,
): Statistic {
  const [ours, theirs] = [lossFor(challenger), lossFor(production)];
  const perRow = Float64Array.from(target, (y, row) => ours(y, challenger[row]!) - theirs(y, production[row]!));
  return (counts) => {
    let sum = 0;
    for (let row = 0; row < perRow.length; row++) sum += counts[row]! * perRow[row]!;
    return sum / perRow.length;
  };
}

/**
 * Both areas under curves in one pass over the rows by descending score. Each group of tied rows adds to the ROC sum its
 * negatives times the positives above (its own counting half), and to the precision sum its positives times the precision.
 */
function rankStatistic(metric: 'roc_auc' | 'pr_auc', target: Uint8Array, scores: Scores): Statistic {
  const order = descendingOrder(scores);
  const positive = Uint8Array.from(order, (row) => target[row]!);
  const endsGroup = Uint8Array.from(order, (row, place) => (scores[row] === scores[order[place + 1]!] ? 0 : 1));
  return (counts) => {
    let tp = 0;
    let seen = 0;
    let tpAbove = 0;
    let seenAbove = 0;
    let rocSum = 0;
    let precisionSum = 0;
    for (let place = 0; place < order.length; place++) {
      const count = counts[order[place]!]!;
      seen += count;
      tp += count * positive[place]!; // no branch: classes mix unpredictably
      if (endsGroup[place] === 0) continue;
      rocSum += (seen - tp - (seenAbove - tpAbove)) * (tp + tpAbove);
      precisionSum += ((tp - tpAbove) * tp) / Math.max(seen, 1);
      tpAbove = tp;
      seenAbove = seen;
    }
    if (tp === 0 || tp === seen) return NaN;
    return metric === 'roc_auc' ? rocSum / (2 * tp * (seen - tp)) : precisionSum / tp;
  };
}

function drawDefined(statistic: Statistic, counts: Uint16Array, random: Random): number {
  for (;;) {
    drawCounts(counts, random);
    const value = statistic(counts);
    if (!Number.isNaN(value)) return value;
  }
}

/** As many draws with replacement as there are rows. */
function drawCounts(counts: Uint16Array, random: Random): void {
  counts.fill(0);
  for (let draw = 0; draw < counts.length; draw++) counts[Math.floor(random() * counts.length)]!++;
}

function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)]!;
  return below + (ascending[Math.ceil(place)]! - below) * (place - Math.floor(place));
}
