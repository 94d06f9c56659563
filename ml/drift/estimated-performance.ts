import { calibrationCurve, expectedCalibrationError } from '../metrics/calibration.ts';
import { accuracy, f1, precision, recall } from '../metrics/confusion.ts';
import { descendingOrder, requireSameRows, type Scores } from '../metrics/ranking.ts';

const MOST_CALIBRATION_ERROR = 0.05;

/** Probabilities that do not mean what they say cannot tell the performance: estimates need `calibrated`. */
export interface CalibrationCheck {
  readonly calibrated: boolean;
  /** 0 without rows. */
  readonly expected_calibration_error: number;
}

/**
 * Are the probabilities right on labelled rows? At most 0.05 away on average, over ten bins of equal size.
 * @param target 1 for the positive class, else 0
 */
export function checkCalibration(target: Uint8Array, probability: Scores): CalibrationCheck {
  requireSameRows(target, probability);
  const error = expectedCalibrationError(calibrationCurve(target, probability));
  return { calibrated: error !== null && error <= MOST_CALIBRATION_ERROR, expected_calibration_error: error ?? 0 };
}

/**
 * Metrics of a binary model as its own calibrated probabilities let us expect them, without labels: a row of probability p
 * counts as p positives and 1 − p negatives (confidence-based performance estimation, NannyML's CBPE). Metrics that the
 * rows do not define are left out, as all are without rows.
 * @param probability of the positive class, in [0, 1]
 * @param threshold a row is called positive at or above it, compared as float32 because serving does so
 */
export function estimatePerformance(probability: Scores, threshold: number): Record<string, number> {
  if (probability.length === 0) return {};
  const confusion = expectedConfusion(probability, threshold);
  const estimates = {
    accuracy: accuracy(confusion),
    precision: precision(confusion),
    recall: recall(confusion),
    f1: f1(confusion),
    roc_auc: expectedRocAuc(probability),
    brier: meanOf(probability, (p) => p * (1 - p)),
    log_loss: meanOf(probability, (p) => surprise(p) + surprise(1 - p)),
  };
  return Object.fromEntries(Object.entries(estimates).filter((entry): entry is [string, number] => entry[1] !== null));
}

function expectedConfusion(probability: Scores, threshold: number) {
  const cut = Math.fround(threshold);
  let called = 0;
  let tp = 0;
  let positives = 0;
  for (let row = 0; row < probability.length; row++) {
    const p = probability[row]!;
    positives += p;
    if (Math.fround(p) < cut) continue;
    called++;
    tp += p;
  }
  const negatives = probability.length - positives;
  const fp = called - tp;
  return { tp, fp, tn: negatives - fp, fn: positives - tp };
}

/** Area under the expected curve; equal probabilities are one step of it. */
function expectedRocAuc(probability: Scores): number | null {
  const order = descendingOrder(probability);
  let [tp, fp, pairs] = [0, 0, 0];
  for (let place = 0; place < order.length;) {
    const p = probability[order[place]!]!;
    const before = place;
    while (place < order.length && probability[order[place]!] === p) place++;
    const ties = place - before;
    pairs += ties * (1 - p) * (tp + (ties * p) / 2);
    tp += ties * p;
    fp += ties * (1 - p);
  }
  return tp > 0 && fp > 0 ? pairs / (tp * fp) : null;
}

const surprise = (p: number) => (p === 0 ? 0 : -p * Math.log(p));

function meanOf(probability: Scores, value: (p: number) => number): number {
  let sum = 0;
  for (let row = 0; row < probability.length; row++) sum += value(probability[row]!);
  return sum / probability.length;
}
