import { z } from 'zod';

export const MetricName = z.enum(['roc_auc', 'pr_auc', 'log_loss', 'brier', 'accuracy', 'precision', 'recall', 'f1']);
export const HIGHER_IS_BETTER = {
  roc_auc: true,
  pr_auc: true,
  log_loss: false,
  brier: false,
  accuracy: true,
  precision: true,
  recall: true,
  f1: true,
} as const satisfies Record<z.infer<typeof MetricName>, boolean>;

/** What a metric must reach. */
export interface MetricBar {
  readonly metric: z.infer<typeof MetricName>;
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
}
export const MetricBarFields = {
  metric: MetricName,
  at_least: z.number().optional(),
  at_most: z.number().optional(),
};
/** Rules of the fields together: for `.refine`. */
export const BAR_HAS_ONE_LIMIT = [
  ({ at_least, at_most }: MetricBar) => (at_least === undefined) !== (at_most === undefined),
  'exactly one of at_least, at_most',
] as const;
export const BAR_CAN_BE_MET = [
  ({ metric, at_least, at_most }: MetricBar) =>
    [at_least, at_most].every((limit = 0) => limit >= 0 && (limit <= 1 || metric === 'log_loss')),
  'the limit must be a value that the metric can take: 0 to 1, for log_loss any number from 0',
] as const;
