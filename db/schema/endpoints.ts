import { integer, pgTable, primaryKey, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

export const endpoints = pgTable('endpoints', {
  name: text().primaryKey(),
  /** The revision that is served; null until the first activation. */
  currentRevision: integer('current_revision'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export const endpointRevisions = pgTable(
  'endpoint_revisions',
  {
    endpointName: text('endpoint_name')
      .notNull()
      .references(() => endpoints.name),
    revision: integer().notNull(),
    modelName: text('model_name').notNull(),
    modelVersion: integer('model_version').notNull(),
    /** prepared: nodes load it beside the current one. active: it is, or was, current. failed: never served. */
    state: text({ enum: ['prepared', 'active', 'failed'] }).notNull(),
    detail: text(),
    runId: text('run_id').notNull(),
    /** W3C traceparent of the deployment, so that a node's swap joins the run's trace. */
    traceparent: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    activatedAt: timestamp('activated_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.endpointName, table.revision] }),
    // One revision per run and endpoint: preparing again after a retry finds the first one.
    uniqueIndex('endpoint_revisions_run_key').on(table.endpointName, table.runId),
  ],
);
export type EndpointRevision = typeof endpointRevisions.$inferSelect;

/** Every serving process, whether or not it has an endpoint yet. Live = `seenAt` within the last 5 s. */
export const servingNodes = pgTable('serving_nodes', {
  node: text().primaryKey(),
  startedAt: timestamp('started_at', { withTimezone: true }).notNull().defaultNow(),
  seenAt: timestamp('seen_at', { withTimezone: true }).notNull().defaultNow(),
});

/** What each serving process has done with each revision. */
export const servingNodeRevisions = pgTable(
  'serving_node_revisions',
  {
    node: text()
      .notNull()
      .references(() => servingNodes.node, { onDelete: 'cascade' }),
    endpointName: text('endpoint_name').notNull(),
    revision: integer().notNull(),
    state: text({ enum: ['loading', 'ready', 'serving', 'failed'] }).notNull(),
    detail: text(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.node, table.endpointName, table.revision] })],
);
export type ServingNodeRevision = typeof servingNodeRevisions.$inferSelect;
