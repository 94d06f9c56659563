import { z } from 'zod';
import { BAR_CAN_BE_MET, BAR_HAS_ONE_LIMIT, MetricBarFields } from './metric-bar.ts';
import { ColumnName } from './names.ts';

const OnDrift = z.strictObject({
  /** So many judged windows in a row, so that one odd hour starts nothing. */
  windows: z.int().min(1).max(100).default(2),
  /** Any of these, instead of the verdict on the whole window; `prediction` and `target` are columns here, too. */
  columns: z.array(ColumnName).min(1).max(1000).optional(),
});
const OnMetric = z
  .strictObject({
    ...MetricBarFields,
    /** So many windows in a row, of those that have labels enough. */
    windows: z.int().min(1).max(100).default(1),
    /** Of a window. */
    min_labels: z.int().min(1).default(100),
  })
  .refine(...BAR_HAS_ONE_LIMIT)
  .refine(...BAR_CAN_BE_MET);

/** When a served version is replaced without being asked. */
export const RetrainingPolicy = z
  .strictObject({
    on_drift: OnDrift.optional(),
    /** A realised metric that is not reached. */
    on_metric: OnMetric.optional(),
    /** The served version is older than this. It is looked at with each window; for a fixed time there is `schedule`. */
    on_schedule: z.strictObject({ every_days: z.int().min(1).max(3650) }).optional(),
    /** Between the end of one retraining and the start of the next. */
    cooldown_seconds: z.int().min(0).default(86_400),
    /** In any seven days. */
    max_per_week: z.int().min(1).max(1000).default(3),
    /** Of running time in any seven days, after which none starts. */
    budget_minutes_per_week: z.number().gt(0).optional(),
    /** Labels of predictions that must have come since the served version was made. */
    min_new_labels: z.int().min(0).default(0),
    /** Do labelled predictions join the training data? */
    include_labels: z.boolean().default(true),
  })
  .refine(({ on_drift, on_metric, on_schedule }) => on_drift ?? on_metric ?? on_schedule, {
    error: 'at least one of on_drift, on_metric, on_schedule',
  });
export type RetrainingPolicy = z.output<typeof RetrainingPolicy>;
