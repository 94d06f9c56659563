import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { connect } from './connect.ts';

// Any constant will do, as long as nothing else in the database locks it.
const MIGRATION_LOCK = 4_213_377;

/** Brings the schema up to date. Processes that start together wait for each other; the later ones find nothing to do. */
export async function migrate(databaseUrl: string): Promise<void> {
  // One connection: the advisory lock belongs to the session that also migrates, and goes when it ends.
  const { db, close } = connect(databaseUrl, { max: 1 });
  try {
    await db.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await applyMigrations(db, { migrationsFolder: join(import.meta.dirname, 'migrations') });
  } finally {
    await close();
  }
}
