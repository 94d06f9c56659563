import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** Counters shared by all processes; `key` is a hash. An unlogged table: see docs/adr/0012. */
export const rateLimits = pgTable('rate_limits', {
  key: text().primaryKey(),
  points: integer().notNull(),
  expire: timestamp({ withTimezone: true, precision: 3 }),
});
