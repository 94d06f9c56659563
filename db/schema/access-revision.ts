import { sql } from 'drizzle-orm';
import { bigint, boolean, check, pgTable } from 'drizzle-orm/pg-core';

/**
 * One row. Triggers on users and api_keys raise the revision, and notify, with every change of who may call, whoever
 * makes it: a process that polls reads one number.
 */
export const accessRevision = pgTable(
  'access_revision',
  { single: boolean().primaryKey().default(true), revision: bigint({ mode: 'number' }).notNull() },
  (table) => [check('access_revision_single', sql`${table.single}`)],
);
