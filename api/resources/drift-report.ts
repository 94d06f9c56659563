import { z } from '@hono/zod-openapi';
import type { ReportedWindow } from '../../db/drift-reports.ts';
import { WindowRealised } from './realised-metrics.ts';

export const Sequence = z.coerce.number().int().min(1).max(0x7fffffff);
const Sides = z.object({ reference: z.number(), current: z.number() });
const Means = z.object({ reference: z.number().nullable(), current: z.number().nullable() });
const Estimate = z
  .record(z.string(), z.number())
  .nullable()
  .openapi({ description: 'Performance by the probabilities alone, by metric; null if the model is not calibrated' });

const ColumnSummary = z
  .object({
    column: z.string(),
    role: z.enum(['feature', 'prediction', 'target']),
    type: z.enum(['numeric', 'categorical']),
    method: z.string(),
    score: z.number().nullable().openapi({ description: 'A p-value or a distance, as the method has it' }),
    threshold: z.number(),
    drifted: z.boolean(),
    missing: Sides.openapi({ description: 'Share of rows without a value' }),
    new_categories: z.object({ values: z.array(z.string()), share: z.number() }),
    out_of_range: z.number().openapi({ description: 'Share of rows beyond what the reference has' }),
    mean: Means,
  })
  .openapi('ColumnDriftSummary');
const Counts = { reference: z.array(z.number()), current: z.array(z.number()) };
const Column = ColumnSummary.extend({
  distribution: z.union([
    z.object({ edges: z.array(z.number()), ...Counts }),
    z.object({ categories: z.array(z.string()), ...Counts }),
  ]),
}).openapi('ColumnDrift');

export const DriftComparison = z
  .object({
    rows: z.object({ reference: z.int(), current: z.int() }),
    judged: z.boolean().openapi({ description: 'Enough rows to judge by? If not, nothing has drifted' }),
    drifted: z.boolean(),
    features: z.object({ compared: z.int(), drifted: z.int(), share: z.number() }),
    drift_share: z.number().openapi({ description: 'Share of drifted features from which on all has drifted' }),
    correction: z.enum(['none', 'bonferroni', 'benjamini_hochberg']),
    columns: z.array(Column),
  })
  .openapi('DriftComparison');

const Times = { first_at: z.iso.datetime(), last_at: z.iso.datetime(), closed_at: z.iso.datetime() };
const Window = { endpoint: z.string(), sequence: z.int(), model: z.string(), version: z.int(), ...Times };

export const DriftReportSummary = z
  .object({
    ...Window,
    rows: z.int(),
    judged: z.boolean(),
    drifted: z.boolean(),
    drifted_share: z.number().openapi({ description: 'Of the features' }),
    prediction_drifted: z.boolean(),
    estimate: Estimate,
    columns: z.array(ColumnSummary),
    computed_at: z.iso.datetime(),
    page_url: z.string().openapi({ description: 'The same for people', example: '/reports/churn/12' }),
  })
  .openapi('DriftReportSummary');

export const DriftReport = DriftComparison.extend({
  ...Window,
  estimate: Estimate,
  realised: WindowRealised,
  history: z
    .array(
      z.object({
        sequence: z.int(),
        closed_at: z.iso.datetime(),
        columns: z.record(
          z.string(),
          z.object({ method: z.string(), score: z.number().nullable(), drifted: z.boolean() }),
        ),
      }),
    )
    .openapi({ description: 'Earlier windows of the same version, the oldest first' }),
}).openapi('DriftReport');

export const toSummary = ({ window, report }: ReportedWindow): z.output<typeof DriftReportSummary> => ({
  endpoint: window.endpoint,
  sequence: window.sequence,
  model: window.model,
  version: window.version,
  rows: window.rows,
  first_at: window.firstAt.toISOString(),
  last_at: window.lastAt.toISOString(),
  closed_at: window.closedAt.toISOString(),
  judged: report.judged,
  drifted: report.drifted,
  drifted_share: report.driftedShare,
  prediction_drifted: report.predictionDrifted,
  estimate: report.estimate,
  columns: report.columns as z.output<typeof ColumnSummary>[],
  computed_at: report.computedAt.toISOString(),
  page_url: `/reports/${window.endpoint}/${window.sequence}`,
});
