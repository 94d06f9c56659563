import { type BinaryEvaluation, evaluateBinary } from './evaluation.ts';

/** How predictions did, by their labels. Plain JSON; a metric that the labels do not define (one class only, say) is null. */
export type RealisedMetrics = Pick<
  BinaryEvaluation,
  'roc_auc' | 'pr_auc' | 'log_loss' | 'brier' | 'accuracy' | 'precision' | 'recall' | 'f1' | 'confusion'
> & {
  readonly labelled: number;
  /** Share of positive labels; null without labels. */
  readonly positive_rate: number | null;
};

/**
 * @param target 1 for a label of the positive class, else 0
 * @param probability of the positive class, in [0, 1]; RangeError names the first row that is not
 * @param threshold a row is called positive at or above it
 */
export function realisedMetrics(target: Uint8Array, probability: Float32Array, threshold: number): RealisedMetrics {
  const found = evaluateBinary(target, probability, threshold);
  const { roc_auc, pr_auc, log_loss, brier, accuracy, precision, recall, f1, confusion } = found;
  const positive_rate = found.rows === 0 ? null : found.positives / found.rows;
  return {
    labelled: found.rows,
    positive_rate,
    ...{ roc_auc, pr_auc, log_loss, brier, accuracy, precision, recall, f1, confusion },
  };
}
