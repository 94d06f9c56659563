import { index, integer, json, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { JobKind, JobState, JobStatus } from '../../workflows/messages.ts';

/** Projection of each job workflow's status; the workflow is the truth. */
export const runs = pgTable(
  'runs',
  {
    id: text().primaryKey(),
    kind: text().$type<JobKind>().notNull(),
    /** null for a job that runs no pipeline. */
    pipelineName: text('pipeline_name'),
    state: text().$type<JobState>().notNull(),
    status: json().$type<JobStatus>().notNull(),
    /** Counts up inside one workflow; a late, older projection never overwrites a newer one. */
    sequence: integer().notNull(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index('runs_started_at_index').on(table.startedAt, table.id),
    index('runs_kind_state_index').on(table.kind, table.state),
    index('runs_pipeline_index').on(table.pipelineName, table.startedAt),
  ],
);
export type Run = typeof runs.$inferSelect;
