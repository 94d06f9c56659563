import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  doublePrecision,
  foreignKey,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ColumnDrift } from '../../ml/drift/drift-report.ts';
import type { RealisedMetrics } from '../../ml/metrics/realised.ts';
import { driftWindows } from './drift.ts';

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** The ground truth of a prediction, as far as it is known now. */
export const labels = pgTable(
  'labels',
  {
    predictionId: uuid('prediction_id').primaryKey(),
    // Of the prediction, so that a window's metrics are read from here alone.
    predictedAt: time('predicted_at').notNull(),
    endpoint: text(),
    model: text().notNull(),
    version: integer().notNull(),
    position: bigint({ mode: 'number' }).notNull(),
    probability: doublePrecision().notNull(),
    /** A class of the model's signature. */
    label: text().notNull(),
    /** When it became true; of two labels the later one counts. */
    observedAt: time('observed_at').notNull(),
    receivedAt: time('received_at').notNull(),
    reportedBy: text('reported_by').notNull(),
    /** Is it part of the realised metrics of its window? */
    counted: boolean().notNull().default(false),
  },
  (table) => [
    index('labels_position_index').on(table.endpoint, table.model, table.version, table.position),
    index('labels_uncounted_index')
      .on(table.endpoint, table.model, table.version, table.position)
      .where(sql`not counted`),
    index('labels_predicted_index').on(table.predictedAt),
    index('labels_received_index').on(table.endpoint, table.receivedAt),
  ],
);
export type Label = typeof labels.$inferSelect;

/** What a label was before it was corrected, one row per correction. */
export const labelCorrections = pgTable(
  'label_corrections',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    predictionId: uuid('prediction_id')
      .notNull()
      .references(() => labels.predictionId, { onDelete: 'cascade' }),
    label: text().notNull(),
    observedAt: time('observed_at').notNull(),
    receivedAt: time('received_at').notNull(),
    reportedBy: text('reported_by').notNull(),
    replacedAt: time('replaced_at').notNull(),
  },
  (table) => [index('label_corrections_prediction_index').on(table.predictionId)],
);

/** Labels whose prediction is not here yet: a spool may still bring it. They name it by id, or by endpoint and entity. */
export const pendingLabels = pgTable(
  'pending_labels',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    predictionId: uuid('prediction_id'),
    endpoint: text(),
    entity: text(),
    /** The newest prediction of the entity at or before. */
    at: time('at'),
    label: text().notNull(),
    observedAt: time('observed_at').notNull(),
    receivedAt: time('received_at').notNull(),
    reportedBy: text('reported_by').notNull(),
    /** The endpoints whose predictions the sender may label; null = all. */
    endpoints: text().array(),
    /** When to look again; null when its prediction came and the label cannot be its: `refused` says why. */
    retryAt: time('retry_at'),
    refused: text(),
  },
  (table) => [
    // The same label sent again waits once; of another sender, who may label other predictions, beside it.
    unique('pending_labels_key')
      .on(table.predictionId, table.endpoint, table.entity, table.at, table.label, table.reportedBy)
      .nullsNotDistinct(),
    index('pending_labels_retry_index').on(table.retryAt),
  ],
);

export type PendingLabel = typeof pendingLabels.$inferSelect;

/** What the labels of a window say about its predictions; restated when labels arrive. */
export const realisedMetrics = pgTable(
  'realised_metrics',
  {
    endpoint: text().notNull(),
    sequence: integer().notNull(),
    metrics: json().$type<RealisedMetrics>().notNull(),
    labelled: integer().notNull(),
    /** The labels beside those of the reference; null without reference or with fewer labels than `drift.min_rows`. */
    targetDrift: json('target_drift').$type<ColumnDrift>(),
    /** 1 when computed for the first time. */
    restatedCount: integer('restated_count').notNull(),
    computedAt: time('computed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.endpoint, table.sequence] }),
    foreignKey({
      columns: [table.endpoint, table.sequence],
      foreignColumns: [driftWindows.endpoint, driftWindows.sequence],
    }).onDelete('cascade'),
  ],
);
export type StoredRealisedMetrics = typeof realisedMetrics.$inferSelect;
