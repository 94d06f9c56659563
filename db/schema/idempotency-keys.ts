import { integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** The caller, the method and the path. */
    route: text().notNull(),
    /** SHA-256 of what the caller sent. */
    key: text().notNull(),
    /** HMAC, with what the caller sent as its key: nobody can look for a password in it by guessing bodies. */
    bodySha256: text('body_sha256').notNull(),
    /** null while the first request is in flight. */
    responseStatus: integer('response_status'),
    responseBody: jsonb('response_body'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.route, table.key] })],
);
