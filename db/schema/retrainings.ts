import { boolean, index, integer, json, pgTable, text, timestamp, unique } from 'drizzle-orm/pg-core';
import type { RETRAINING_CAUSES } from '../../pipelines/retraining-decision.ts';
import { datasetVersions } from './datasets.ts';

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** What was decided when a window spoke for training again: one row per window, whether or not a run was started. */
export const retrainings = pgTable(
  'retrainings',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    endpoint: text().notNull(),
    /** Of the window, whose report may be gone before this is. */
    sequence: integer().notNull(),
    /** The version that has decayed. */
    model: text().notNull(),
    version: integer().notNull(),
    cause: text().$type<(typeof RETRAINING_CAUSES)[number]>().notNull(),
    detail: text().notNull(),
    /** Sequences of the windows that show the cause. */
    windows: json().$type<readonly number[]>().notNull(),
    /** started, completed, failed: of the run. Only skipped and started rows are ever changed. */
    state: text({ enum: ['skipped', 'started', 'completed', 'failed'] }).notNull(),
    /** Why no run was started, or why it failed. */
    reason: text(),
    runId: text('run_id').unique('retrainings_run_key'),
    /** What it was trained on, if that was put together for it, and how many labelled predictions are in it. */
    datasetVersion: text('dataset_version'),
    labelledRows: integer('labelled_rows'),
    /** The version that the run made, and whether it is served. */
    newVersion: integer('new_version'),
    promoted: boolean().notNull().default(false),
    createdAt: time('created_at').notNull().defaultNow(),
    endedAt: time('ended_at'),
  },
  (table) => [
    unique('retrainings_window_key').on(table.endpoint, table.sequence),
    index('retrainings_endpoint_index').on(table.endpoint, table.createdAt),
  ],
);
export type Retraining = typeof retrainings.$inferSelect;

/** A dataset version that is another one with labelled predictions at its end. The next extension begins with `base` again. */
export const datasetExtensions = pgTable('dataset_extensions', {
  datasetVersionId: text('dataset_version_id')
    .primaryKey()
    .references(() => datasetVersions.id),
  baseVersionId: text('base_version_id')
    .notNull()
    .references(() => datasetVersions.id),
});
