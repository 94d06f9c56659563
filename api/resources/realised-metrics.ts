import { z } from '@hono/zod-openapi';
import type { StoredRealisedMetrics } from '../../db/schema/labels.ts';

const Metric = z.number().nullable();
export const Metrics = {
  positive_rate: Metric.openapi({ description: 'Share of positive labels' }),
  ...{ roc_auc: Metric, pr_auc: Metric, log_loss: Metric, brier: Metric },
  ...{ accuracy: Metric, precision: Metric, recall: Metric, f1: Metric },
};
export const Labelled = z.int().openapi({ description: 'Rows that have a label' });

/** Of a window; null before its first label. */
export const WindowRealised = z
  .object({
    labelled: Labelled,
    ...Metrics,
    restated_count: z.int().openapi({ description: '1 when it was computed for the first time' }),
    computed_at: z.iso.datetime(),
    target_drift: z
      .object({ method: z.string(), score: z.number().nullable(), threshold: z.number(), drifted: z.boolean() })
      .nullable()
      .openapi({ description: 'The labels beside those of the reference; null with too few of them' }),
  })
  .nullable()
  .openapi({ description: 'By the labels that have arrived; null before the first' });

export function toRealised({ metrics, targetDrift, ...row }: StoredRealisedMetrics) {
  const { labelled, positive_rate, roc_auc, pr_auc, log_loss, brier, accuracy, precision, recall, f1 } = metrics;
  return {
    ...{ labelled, positive_rate, roc_auc, pr_auc, log_loss, brier, accuracy, precision, recall, f1 },
    restated_count: row.restatedCount,
    computed_at: row.computedAt.toISOString(),
    target_drift: targetDrift && {
      ...{ method: targetDrift.method, score: targetDrift.score },
      ...{ threshold: targetDrift.threshold, drifted: targetDrift.drifted },
    },
  };
}
