import { integer, json, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { PipelineDefinition } from '../../pipelines/definition.ts';

export const pipelines = pgTable('pipelines', {
  name: text().primaryKey(),
  latestVersion: integer('latest_version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

// `json`, not `jsonb`, in all tables: what was sent comes back in the order it was sent.
export const pipelineVersions = pgTable(
  'pipeline_versions',
  {
    pipelineName: text('pipeline_name')
      .notNull()
      .references(() => pipelines.name),
    version: integer().notNull(),
    definition: json().$type<PipelineDefinition>().notNull(),
    /** SHA-256 of the canonical JSON; the artifact store holds the same bytes. */
    definitionSha256: text('definition_sha256').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.pipelineName, table.version] })],
);
export type PipelineVersion = typeof pipelineVersions.$inferSelect;
