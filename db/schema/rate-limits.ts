import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** Counters shared by all processes, in the shape rate-limiter-flexible works with. */
export const rateLimits = pgTable('rate_limits', {
  key: text().primaryKey(),
  points: integer().notNull(),
  expire: timestamp({ withTimezone: true, precision: 3 }),
});
