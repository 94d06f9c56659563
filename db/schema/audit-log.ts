import { bigint, integer, json, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** Who did what. Append-only (a trigger refuses changes); each row's hash covers the row before. */
export const auditLog = pgTable('audit_log', {
  /** 1, 2, 3 …: a missing number is a missing row. */
  sequence: bigint({ mode: 'number' }).primaryKey(),
  at: timestamp({ withTimezone: true, precision: 3 }).notNull(),
  actor: text().notNull(),
  /** The operation, as the OpenAPI document names it, or what a workflow did. */
  action: text().notNull(),
  /** What it was done to, as `pipelines/churn`. */
  object: text().notNull(),
  /** HTTP status of the answer; null for what a workflow did. */
  status: integer(),
  /** Client address; null for what a workflow did. */
  address: text(),
  /** Of the HTTP request, or the run. */
  requestId: text('request_id').notNull(),
  detail: json().$type<Record<string, unknown>>().notNull(),
  previousSha256: text('previous_sha256').notNull(),
  sha256: text().notNull(),
});
export type AuditEntry = typeof auditLog.$inferSelect;
