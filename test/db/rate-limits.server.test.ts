import { sql } from 'drizzle-orm';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createLoginGuard } from '../../auth/login-guard.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createRateLimitRepository } from '../../db/rate-limits.ts';
import { rateLimits } from '../../db/schema/rate-limits.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { PlatformError } from '../../lib/errors.ts';
import { createExactRate } from '../../lib/rate-limit/exact-rate.ts';
import { createSharedRate } from '../../lib/rate-limit/shared-rate.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let first: Connection;
let second: Connection;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  first = connect(database.url);
  second = connect(database.url);
});
afterAll(async () => {
  await first?.close();
  await second?.close();
  await database?.stop();
});
beforeEach(async () => {
  await first.db.delete(rateLimits);
});

const log = { warn: vi.fn() };
const policy = { name: 'general', limit: 200, windowMs: 60_000 };
const BACKOFF = { free: 5, firstWaitMs: 60_000, longestWaitMs: 900_000, forgetMs: 3_600_000 };
const counters = (connection: Connection) => createRateLimitRepository(connection.db);
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

/** What is kept grows older by so much, which is quicker than waiting. */
const pass = (ms: number) =>
  first.db.update(rateLimits).set({ expire: sql`${rateLimits.expire} - ${ms} * interval '1 millisecond'` });

test('counters add up over connections, and of concurrent requests exactly as many pass as the limit says', async () => {
  const rates = [first, second].map((connection) =>
    createExactRate({ policy, log, add: counters(connection).add, patienceMs: 60_000 }),
  );
  const taken = await Promise.all(times(260, async (index) => await rates[index % 2]!.take('ada')));
  expect(taken.filter(({ allowed }) => allowed)).toHaveLength(200);
  expect(log.warn).not.toHaveBeenCalled();
});

test('a window that is over begins anew', async () => {
  const { add } = counters(first);
  const [begun] = await add(policy, [{ key: 'ada', points: 3 }]);
  expect(begun).toEqual({ points: 3, resetMs: expect.closeTo(60_000, -1) as number });
  await pass(40_000);
  const [held] = await add(policy, [{ key: 'ada', points: 1 }]);
  expect(held!.points).toBe(4);
  expect(held!.resetMs).toBeLessThanOrEqual(20_000);
  await pass(20_000);
  expect(await add(policy, [{ key: 'ada', points: 1 }])).toEqual([
    { points: 1, resetMs: expect.closeTo(60_000, -1) as number },
  ]);
});

test('processes that reconcile many keys in different orders do not lock each other out', async () => {
  const rates = times(4, () => createSharedRate({ policy }));
  for (const [index, rate] of rates.entries()) {
    const keys = times(300, (key) => `user-${key}`);
    for (const key of index % 2 ? keys : keys.reverse()) rate.take(key);
  }
  await Promise.all(rates.map((rate, index) => rate.reconcile(counters(index % 2 ? first : second).add)));
  const last = createSharedRate({ policy });
  last.take('user-7');
  await last.reconcile(counters(first).add);
  expect(last.take('user-7').remaining).toBe(200 - 6);
});

test('rows hold no name or address, and are deleted when they are over', async () => {
  const { add, prune, loginAttempts } = counters(first);
  await add(policy, [{ key: 'ada.lovelace', points: 1 }]);
  await add({ ...policy, windowMs: 1 }, [{ key: '198.51.100.1', points: 1 }]);
  await loginAttempts(BACKOFF).begin('ada 198.51.100.1');
  const rows = await first.db.select().from(rateLimits);
  expect(rows).toHaveLength(3);
  for (const { key } of rows) expect(key).toMatch(/^[\w-]{43}$/);
  await delay(20);
  await prune();
  expect(await first.db.select().from(rateLimits)).toHaveLength(2);
});

/** Logins against one right password, over both connections in turn. */
function createLogins() {
  let checks = 0;
  let turn = 0;
  const guards = [first, second].map((connection) => createLoginGuard(counters(connection).loginAttempts(BACKOFF)));
  const logIn = async (password: string, user = 'ada', address = '198.51.100.1') => {
    try {
      return await guards[turn++ % 2]!(user, address, () => {
        checks++;
        if (password === 'right') return Promise.resolve('in');
        return Promise.reject(new PlatformError('UNAUTHENTICATED', 'wrong user name or password'));
      });
    } catch (error) {
      const { code, retryAfterSeconds } = error as PlatformError;
      return code === 'RATE_LIMITED' ? retryAfterSeconds! : code;
    }
  };
  const fail = async (count: number) => {
    for (let attempt = 0; attempt < count; attempt++) expect(await logIn('wrong')).toBe('UNAUTHENTICATED');
  };
  return { logIn, fail, checks: () => checks };
}
/** Somewhat less than `ms` in seconds: the test itself takes time. */
const about = (ms: number) =>
  expect.toSatisfy((seconds: unknown) => Number(seconds) <= ms / 1000 && Number(seconds) > ms / 2000) as number;

test('after five failures the next attempt must wait, with the right password too', async () => {
  const { logIn, fail, checks } = createLogins();
  await fail(5);
  expect(await logIn('right')).toEqual(about(60_000));
  expect(checks()).toBe(5);
  expect(await logIn('right', 'ada', '198.51.100.2')).toBe('in');
  expect(await logIn('right', 'bob')).toBe('in');
  await pass(60_000);
  expect(await logIn('right')).toBe('in');
});

test('each further failure doubles the wait, up to the longest', async () => {
  const { logIn, fail } = createLogins();
  await fail(5);
  for (const waitMs of [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]) {
    expect(await logIn('wrong')).toEqual(about(waitMs));
    await pass(waitMs);
    await fail(1);
  }
});

test('a success forgets the failures before it, and so does a long time', async () => {
  const { logIn, fail } = createLogins();
  await fail(4);
  expect(await logIn('right')).toBe('in');
  await fail(5);
  await pass(BACKOFF.firstWaitMs);
  await fail(1);
  await pass(2 * BACKOFF.firstWaitMs + BACKOFF.forgetMs);
  await fail(5);
  expect(await logIn('right')).toEqual(about(60_000));
});

test('guesses at the same time get no more checks than guesses in turn', async () => {
  const { logIn, checks } = createLogins();
  const answers = await Promise.all(times(20, () => logIn('wrong')));
  expect(answers.filter((answer) => answer === 'UNAUTHENTICATED')).toHaveLength(5);
  expect(checks()).toBe(5);
});

test('the addresses of one IPv6 network count as one', async () => {
  const { logIn } = createLogins();
  for (let host = 1; host <= 5; host++) await logIn('wrong', 'ada', `2001:db8:1:2::${host}`);
  expect(await logIn('right', 'ada', '2001:db8:1:2:ffff::9')).toEqual(about(60_000));
  expect(await logIn('right', 'ada', '2001:db8:1:3::1')).toBe('in');
});

test('counting needs no flush of the log to disk', async () => {
  const [table] = await first.db.execute<{ relpersistence: string }>(
    sql`select relpersistence from pg_class where relname = 'rate_limits'`,
  );
  expect(table!.relpersistence).toBe('u');
});
