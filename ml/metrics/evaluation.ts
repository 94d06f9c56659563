import { calibrationCurve, expectedCalibrationError, type CalibrationBin } from './calibration.ts';
import { accuracy, confusionAt, f1, precision, recall, type Confusion } from './confusion.ts';
import { prAuc, prCurve, rocAuc, rocCurve, type PrPoint, type RocPoint } from './curves.ts';
import { brier, logLoss } from './probability.ts';
import { descendingOrder, rankRows, requireSameRows, type Scores } from './ranking.ts';

/** Plain JSON, as it goes to the wire. A metric that the rows do not define (only one class, say) is null. */
export type BinaryEvaluation = {
  rows: number;
  positives: number;
  threshold: number;
  roc_auc: number | null;
  pr_auc: number | null;
  log_loss: number | null;
  brier: number | null;
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  calibration_error: number | null;
  confusion: Confusion;
  roc: RocPoint[];
  pr: PrPoint[];
  calibration: CalibrationBin[];
};

/**
 * All metrics of a binary classifier on some rows.
 * @param target 1 for the positive class, else 0
 * @param probability of the positive class, in [0, 1]; RangeError names the first row that is not
 * @param threshold a row is called positive at or above it
 */
export function evaluateBinary(target: Uint8Array, probability: Scores, threshold: number): BinaryEvaluation {
  requireProbabilities(target, probability);
  const order = descendingOrder(probability);
  const ranking = rankRows(target, probability, order);
  const confusion = confusionAt(target, probability, threshold);
  const calibration = calibrationCurve(target, probability, { order });
  return {
    rows: ranking.rows,
    positives: ranking.positives,
    threshold,
    roc_auc: rocAuc(ranking),
    pr_auc: prAuc(ranking),
    log_loss: logLoss(target, probability),
    brier: brier(target, probability),
    accuracy: accuracy(confusion),
    precision: precision(confusion),
    recall: recall(confusion),
    f1: f1(confusion),
    calibration_error: expectedCalibrationError(calibration),
    confusion,
    roc: rocCurve(ranking),
    pr: prCurve(ranking),
    calibration,
  };
}

export function requireProbabilities(target: Uint8Array, probability: Scores): void {
  requireSameRows(target, probability);
  const outside = probability.findIndex((p) => !(p >= 0 && p <= 1));
  if (outside >= 0) throw new RangeError(`row ${outside}: ${probability[outside]} is not a probability`);
  const other = target.findIndex((value) => value > 1);
  if (other >= 0) throw new RangeError(`row ${other}: target ${target[other]} is neither 0 nor 1`);
}
