import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startApiRates } from '../../api/rates.ts';
import { createLoginGuard, LOGIN_BACKOFF } from '../../auth/login-guard.ts';
import { unauthenticated } from '../../auth/guard.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createRateLimitRepository } from '../../db/rate-limits.ts';
import { rateLimits } from '../../db/schema/rate-limits.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { createLogger } from '../../lib/log.ts';
import { startTestPostgres } from '../platform.ts';
import { createTestApp, problemOf } from './doubles.ts';

// API processes of which only the counters are real: each with its own pool and socket, on one Postgres.
let database: EmbeddedPostgres;
let connection: Connection;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  await connection.db.delete(rateLimits);
});

const log = createLogger({ service: 'test', level: 'silent' });
const LIMITS = { general: 200, auth: 30 };
// Limits are exact while the database is waited for; the 2 s of the product are little on a busy machine.
const PATIENT_MS = 50_000;

async function listenApi({
  url = database.url,
  perMinute = LIMITS,
  trustedProxies = [] as string[],
  patienceMs = PATIENT_MS,
} = {}) {
  const own = connect(url);
  const counters = createRateLimitRepository(own.db);
  const limits = startApiRates({ perMinute, counters, log, patienceMs });
  let checks = 0;
  const logIn = () => (checks++, delay(20).then(() => Promise.reject(unauthenticated())));
  const { app } = createTestApp({
    rates: limits.rates,
    trustedProxies,
    auth: {
      sessions: { logIn },
      loginGuard: createLoginGuard(counters.loginAttempts({ ...LOGIN_BACKOFF, firstWaitMs: 600_000 })),
      now: () => new Date(),
    } as never,
  });
  const http = await listenHttp({ fetch: app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(async () => {
    await http.close();
    await limits.stop();
    await own.close();
  });
  const send = (path: string, init: RequestInit) => fetch(`http://127.0.0.1:${http.port}/api/v1${path}`, init);
  return {
    get: (path: string, headers: Record<string, string> = {}) =>
      send(path, { headers: { authorization: 'Bearer ada', ...headers } }),
    logIn: (username: string, headers: Record<string, string> = {}) =>
      send('/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ username, password: 'a wrong password' }),
      }),
    checks: () => checks,
  };
}
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));
const countOf = (answers: readonly Response[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

test('of 201 requests at the same time to two API processes exactly the 200 of the limit pass', async () => {
  const apis = [await listenApi(), await listenApi()];
  const answers = await Promise.all(times(201, (index) => apis[index % 2]!.get('/runs')));
  expect([countOf(answers, 200), countOf(answers, 429)]).toEqual([200, 1]);
  const others = await Promise.all(
    times(260, (index) => apis[index % 2]!.get('/runs', { authorization: 'Bearer grace' })),
  );
  expect(countOf(others, 200)).toBe(200);
  const refused = answers.find(({ status }) => status === 429)!;
  expect(refused.headers.get('ratelimit-policy')).toBe('"general";q=200;w=60');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await problemOf(refused)).toMatchObject({ code: 'RATE_LIMITED' });
  for (const { get } of apis) {
    expect((await get('/runs')).status).toBe(429);
    expect((await get('/runs', { authorization: 'Bearer bob' })).status).toBe(200);
  }
});

test('logins of one address are limited over processes, whatever address they claim', async () => {
  const apis = [await listenApi(), await listenApi()];
  const answers = await Promise.all(
    times(40, (index) => apis[index % 2]!.logIn(`user-${index}`, { 'x-forwarded-for': `198.51.100.${index}` })),
  );
  expect(countOf(answers, 429)).toBe(10);
  const behindProxy = await listenApi({ trustedProxies: ['127.0.0.1'] });
  expect((await behindProxy.logIn('ada', { 'x-forwarded-for': '127.0.0.1' })).status).toBe(429);
  expect((await behindProxy.logIn('ada', { 'x-forwarded-for': '198.51.100.1' })).status).toBe(401);
});

test('twenty guesses at the same time at two processes get five password checks', async () => {
  const apis = [await listenApi(), await listenApi()];
  const answers = await Promise.all(times(20, (index) => apis[index % 2]!.logIn('ada')));
  expect(apis[0]!.checks() + apis[1]!.checks()).toBe(5);
  expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([5, 15]);
  for (const answer of answers.filter(({ status }) => status === 429))
    expect(answer.headers.get('retry-after')).toMatch(/^(600|5[4-9]\d)$/);
});

test('without Postgres requests pass, up to the limit', async () => {
  const { get } = await listenApi({
    url: 'postgres://anneal@127.0.0.1:1/nowhere',
    perMinute: { general: 20, auth: 5 },
  });
  const answers = await Promise.all(times(30, () => get('/runs')));
  expect([countOf(answers, 200), countOf(answers, 429)]).toEqual([20, 10]);
});

test('a database that takes no more questions holds up no request for long', async () => {
  const { get } = await listenApi({ perMinute: { general: 20, auth: 5 }, patienceMs: 2000 });
  expect((await get('/runs')).status).toBe(200);
  await connection.sql.begin(async (locked) => {
    await locked`lock table rate_limits in access exclusive mode`;
    const answers = await Promise.all(times(30, () => get('/runs')));
    expect(countOf(answers, 200)).toBe(19);
  });
});
