import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';
import type { AlertKind, SEVERITIES } from '../../pipelines/window-alerts.ts';

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Something that a person should know. At most one per endpoint and kind is not resolved. */
export const alerts = pgTable(
  'alerts',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    endpoint: text().notNull(),
    kind: text().$type<AlertKind>().notNull(),
    severity: text().$type<(typeof SEVERITIES)[number]>().notNull(),
    state: text({ enum: ['firing', 'acknowledged', 'resolved'] }).notNull(),
    /** As of the last window. */
    message: text().notNull(),
    model: text().notNull(),
    version: integer().notNull(),
    /** The last window that said so, and how many did. */
    lastSequence: integer('last_sequence').notNull(),
    count: integer().notNull(),
    raisedAt: time('raised_at').notNull().defaultNow(),
    lastAt: time('last_at').notNull().defaultNow(),
    acknowledgedBy: text('acknowledged_by'),
    acknowledgedAt: time('acknowledged_at'),
    resolvedAt: time('resolved_at'),
  },
  (table) => [
    uniqueIndex('alerts_open_key')
      .on(table.endpoint, table.kind)
      .where(sql`state <> 'resolved'`),
    index('alerts_raised_index').on(table.raisedAt),
  ],
);
export type Alert = typeof alerts.$inferSelect;

/** Until when alerts are kept to ourselves: they are raised, but nobody is told. */
export const silences = pgTable('silences', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  /** null = all. */
  endpoint: text(),
  kind: text().$type<AlertKind>(),
  until: time('until').notNull(),
  comment: text().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
});
export type Silence = typeof silences.$inferSelect;

/** A message to the webhook, and what became of it. It is written with the alert, so none is lost. */
export const alertDeliveries = pgTable(
  'alert_deliveries',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    alertId: integer('alert_id')
      .notNull()
      .references(() => alerts.id),
    event: text({ enum: ['firing', 'resolved'] }).notNull(),
    state: text({ enum: ['pending', 'delivered', 'failed', 'silenced'] }).notNull(),
    /** The window or retraining of this sequence made it. */
    sequence: integer().notNull(),
    attempts: integer().notNull().default(0),
    /** Of the last attempt. */
    lastError: text('last_error'),
    createdAt: time('created_at').notNull().defaultNow(),
    endedAt: time('ended_at'),
  },
  (table) => [index('alert_deliveries_alert_index').on(table.alertId)],
);
export type AlertDelivery = typeof alertDeliveries.$inferSelect;
