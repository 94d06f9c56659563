import { sql } from 'drizzle-orm';
import {
  bigint,
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
} from 'drizzle-orm/pg-core';
import type { DriftReport } from '../../ml/drift/drift-report.ts';

/**
 * Predictions of one version behind one endpoint, by their positions: each is in exactly one window, for a window begins
 * where the one before it, of the same version, ended. Only `finishedAt` is ever changed, once.
 */
export const driftWindows = pgTable(
  'drift_windows',
  {
    endpoint: text().notNull(),
    /** From 1, over all versions of the endpoint. */
    sequence: integer().notNull(),
    model: text().notNull(),
    version: integer().notNull(),
    /** Exclusive; 0 at first. */
    afterPosition: bigint('after_position', { mode: 'number' }).notNull(),
    /** Inclusive. */
    untilPosition: bigint('until_position', { mode: 'number' }).notNull(),
    rows: integer().notNull(),
    /** Times of its first and last prediction. */
    firstAt: timestamp('first_at', { withTimezone: true, precision: 3 }).notNull(),
    lastAt: timestamp('last_at', { withTimezone: true, precision: 3 }).notNull(),
    closedAt: timestamp('closed_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** When its report was recorded, or it turned out that there is nothing to compare it with; null before. */
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }),
    /** Are labels of its first predictions deleted by now? Those that are left say nothing of the whole. */
    labelsDropped: boolean('labels_dropped').notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.endpoint, table.sequence] }),
    index('drift_windows_unfinished_index')
      .on(table.endpoint, table.sequence)
      .where(sql`finished_at is null`),
    unique('drift_windows_begin').on(table.endpoint, table.model, table.version, table.afterPosition),
  ],
);
export type DriftWindow = typeof driftWindows.$inferSelect;

/** What was found in a window. Its files are in the artifact store. */
export const driftReports = pgTable(
  'drift_reports',
  {
    endpoint: text().notNull(),
    sequence: integer().notNull(),
    judged: boolean().notNull(),
    drifted: boolean().notNull(),
    /** Of the features. */
    driftedShare: doublePrecision('drifted_share').notNull(),
    predictionDrifted: boolean('prediction_drifted').notNull(),
    /** The report's columns without their distributions. */
    columns: json().$type<readonly Omit<DriftReport['columns'][number], 'distribution'>[]>().notNull(),
    /** Performance by the probabilities alone (ml/drift/estimated-performance.ts), by metric; null if not calibrated. */
    estimate: json().$type<Record<string, number>>(),
    /** WindowReport as JSON. */
    reportSha256: text('report_sha256').notNull(),
    /** The self-contained page. */
    pageSha256: text('page_sha256').notNull(),
    /** The window's predictions as Parquet. */
    archiveSha256: text('archive_sha256').notNull(),
    /** Sketches of its columns as JSON, which add up with those of other windows. */
    sketchesSha256: text('sketches_sha256').notNull(),
    computedAt: timestamp('computed_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.endpoint, table.sequence] }),
    foreignKey({
      columns: [table.endpoint, table.sequence],
      foreignColumns: [driftWindows.endpoint, driftWindows.sequence],
    }),
    index('drift_reports_computed_index').on(table.computedAt),
  ],
);
export type StoredDriftReport = typeof driftReports.$inferSelect;
