import { createHash } from 'node:crypto';
import { eq, lt, sql } from 'drizzle-orm';
import type { Backoff, LoginAttempts } from '../auth/login-guard.ts';
import type { AddCounts } from '../lib/rate-limit/rate-limiter.ts';
import type { Database } from './connect.ts';
import { rateLimits } from './schema/rate-limits.ts';

export type RateLimitRepository = ReturnType<typeof createRateLimitRepository>;

/** Counters of all processes. All times are the database's, so the processes' clocks need not agree. */
export function createRateLimitRepository(db: Database) {
  const { key: keyColumn, points, expire } = rateLimits;

  const add: AddCounts = async (policy, counts) => {
    const rows = counts.map((count) => ({ key: hashOf(policy.name, count.key), points: count.points }));
    const length = sql`${policy.windowMs} * interval '1 millisecond'`;
    const isOver = sql`${expire} <= now()`;
    // In one order, so that processes that add to the same counters do not lock each other out.
    const totals = await db.execute<{ key: string; points: number; reset_ms: number }>(sql`
      insert into ${rateLimits} (key, points, expire)
      select key, points, now() + ${length}
      from json_to_recordset(${JSON.stringify(rows)}::json) as counted(key text, points integer)
      order by key
      on conflict (key) do update set
        points = case when ${isOver} then excluded.points else ${points} + excluded.points end,
        expire = case when ${isOver} then excluded.expire else ${expire} end
      returning key, points, ceil(extract(epoch from expire - now()) * 1000)::integer as reset_ms`);
    const byKey = new Map(totals.map((total) => [total.key, total]));
    return rows.map(({ key }) => {
      const total = byKey.get(key)!;
      return { points: total.points, resetMs: total.reset_ms };
    });
  };

  /** A row is the attempts of one key in a row; it expires `forgetMs` after the next one may come. */
  const loginAttempts = ({ free, firstWaitMs, longestWaitMs, forgetMs }: Backoff): LoginAttempts => ({
    begin: async (who) => {
      const key = hashOf('login', who);
      // The clock when the row is locked, not when the statement began; in whole units, as the column keeps it.
      const clock = sql`date_trunc('milliseconds', clock_timestamp())`;
      const forget = sql`${forgetMs} * interval '1 millisecond'`;
      const attempts = sql`case when ${expire} <= ${clock} then 1 else ${points} + 1 end`;
      const waitMs = sql`case when ${attempts} < ${free} then 0
        else least(${longestWaitMs}::float8, ${firstWaitMs}::float8 * 2 ^ least(${attempts} - ${free}, 30)) end`;
      const begun = await db.execute(sql`
        insert into ${rateLimits} (key, points, expire) values (${key}, 1, ${clock} + ${forget})
        on conflict (key) do update set
          points = ${attempts}, expire = ${clock} + ${forget} + ${waitMs} * interval '1 millisecond'
        where ${expire} - ${forget} <= ${clock}
        returning points`);
      if (begun.length > 0) return 0;
      const [held] = await db
        .select({ waitMs: sql<number>`(extract(epoch from ${expire} - ${forget} - clock_timestamp()) * 1000)::float8` })
        .from(rateLimits)
        .where(eq(keyColumn, key));
      return Math.max(held?.waitMs ?? 0, 1);
    },
    forget: async (who) => {
      await db.delete(rateLimits).where(eq(keyColumn, hashOf('login', who)));
    },
  });

  return {
    add,
    loginAttempts,
    /** Deletes what is over. */
    prune: async (): Promise<void> => {
      await db.delete(rateLimits).where(lt(expire, sql`now()`));
    },
  };
}

// Of one length, and nobody's name or address in clear.
const hashOf = (purpose: string, key: string) => createHash('sha256').update(`${purpose} ${key}`).digest('base64url');
