import { sql, type SQL } from 'drizzle-orm';
import type { Database } from './connect.ts';

// Any constant will do, as long as nothing else in the database locks it.
const PARTITIONS_LOCK = 4_213_379;
const DAY_MS = 24 * 3_600_000;
// Dropping waits for readers, and everybody else would wait behind it.
const DROP_LOCK_TIMEOUT = '2s';

/** The time in a UUIDv7, given as text; to the millisecond. */
export const timeOfId = (id: SQL) =>
  sql`to_timestamp(('x' || translate(${id}, '-', ''))::bit(48)::bigint / 1000.0)::timestamptz(3)`;

/** Makes what is missing of the partitions of `days` (as 2026-11-21). Safe under concurrency; blocks neither reads nor writes. */
export async function createPartitions(db: Database, days: readonly string[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${PARTITIONS_LOCK})`);
    for (const day of days) {
      const name = nameOf(day);
      const [found] = await tx.execute<{ missing: boolean }>(sql`select to_regclass(${name}) is null as missing`);
      if (!found!.missing) continue;
      const table = sql.identifier(name);
      // Made beside and attached: `create … partition of` would lock out everybody who reads.
      await tx.execute(sql`create table ${table} (like predictions including all)`);
      await tx.execute(sql`alter table predictions attach partition ${table} for values ${rangeOf(day)}`);
    }
  });
}

/** Drops the days that were over before `time`; answers their names. Throws when a reader holds one for longer than 2 s. */
export async function dropPartitions(db: Database, time: Date): Promise<string[]> {
  const oldest = nameOf(time.toISOString().slice(0, 10));
  const partitions = await db.execute<{ name: string }>(
    sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'predictions'::regclass`,
  );
  const old = partitions.map(({ name }) => name).filter((name) => name < oldest);
  for (const name of old) {
    await db.transaction(async (tx) => {
      await tx.execute(sql.raw(`set local lock_timeout = '${DROP_LOCK_TIMEOUT}'`));
      await tx.execute(sql`drop table if exists ${sql.identifier(name)}`);
    });
  }
  return old;
}

const nameOf = (day: string) => `predictions_${day.replaceAll('-', '')}`;

/** Bounds of a partition are literals. */
function rangeOf(day: string): SQL {
  const next = new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
  return sql.raw(`from ('${day}T00:00:00Z') to ('${next}T00:00:00Z')`);
}
