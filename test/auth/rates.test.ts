import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import { type AuthEnv, guard, identify, unauthenticated } from '../../auth/guard.ts';
import { limitCallers } from '../../auth/rates.ts';
import { setClientAddress } from '../../lib/http/set-client-address.ts';
import { answerProblem, toProblem } from '../../lib/http/problem.ts';
import { createTestApp, problemOf } from '../api/doubles.ts';
import { principalOf } from './principals.ts';
import { ratesOf } from './rates.ts';

/** Knows `ada` and her key `ada/ci`, and nobody else. */
function appWith(limits: Parameters<typeof ratesOf>[0]) {
  const authenticate = vi.fn((credential: string) => {
    const [user, key] = credential.split('/');
    if (user !== 'ada') return Promise.reject(unauthenticated());
    const apiKey = key === undefined ? null : { id: key, name: key, endpoints: null };
    return Promise.resolve(principalOf({ user, role: 'scientist', apiKey }));
  });
  const app = new Hono<AuthEnv>()
    .onError((error, c) => answerProblem(c, toProblem(error, 'r1')))
    .use(setClientAddress([]), identify(authenticate), limitCallers(ratesOf(limits)))
    .get('/mine', guard('authenticated'), (c) => c.json({}))
    .get('/admin', guard(['admin']), (c) => c.json({}))
    .get('/livez', guard('public'), (c) => c.json({}));
  const get = (path: string, credential?: string) =>
    app.request(path, credential === undefined ? {} : { headers: { authorization: `Bearer ${credential}` } });
  return { get, authenticate };
}

test('an answer says what is left, and when nothing is, how long to wait', async () => {
  const { get } = appWith({ user: 2 });
  const [first, , third] = [await get('/mine', 'ada'), await get('/mine', 'ada'), await get('/mine', 'ada')];
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit-policy')).toBe('"general";q=2;w=60');
  expect(first.headers.get('ratelimit')).toBe('"general";r=1;t=60');
  expect(third.status).toBe(429);
  expect(third.headers.get('content-type')).toBe('application/problem+json');
  expect(third.headers.get('ratelimit')).toMatch(/^"general";r=0;t=([1-9]|[1-5]\d|60)$/);
  expect(third.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/);
  expect(await problemOf(third)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
});

test('the API keys of a user share her rate', async () => {
  const { get } = appWith({ user: 2 });
  await get('/mine', 'ada/ci');
  await get('/mine', 'ada/nightly');
  expect((await get('/mine', 'ada')).status).toBe(429);
});

test('a request that the role forbids is counted too', async () => {
  const { get } = appWith({ user: 2 });
  expect((await get('/admin', 'ada')).status).toBe(403);
  await get('/admin', 'ada');
  expect((await get('/admin', 'ada')).status).toBe(429);
});

test('bad credentials use up the rate of their address five times as fast, and then are not even looked at', async () => {
  const { get, authenticate } = appWith({ address: 10 });
  const guess = async () => (await get('/mine', 'eve')).status;
  expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429]);
  expect(authenticate).toHaveBeenCalledTimes(2);
  const none = appWith({ address: 10 });
  expect((await none.get('/mine')).status).toBe(401);
  await none.get('/mine');
  expect((await none.get('/mine')).status).toBe(429);
});

test('what stops a flood does not stop probes', async () => {
  const { get } = appWith({ address: 1, user: 1 });
  for (let request = 0; request < 5; request++) await get('/mine', 'ada');
  expect((await get('/mine', 'ada')).status).toBe(429);
  const probe = await get('/livez');
  expect([probe.status, probe.headers.get('ratelimit')]).toEqual([200, null]);
});

test('logging in and refreshing share a rate per address', async () => {
  const logIn = vi.fn(() => Promise.reject(unauthenticated()));
  const auth = { sessions: { logIn, refresh: logIn }, loginGuard: (_u: string, _a: string, go: () => unknown) => go() };
  const { post } = createTestApp({
    auth: { ...auth, now: () => new Date() } as never,
    rates: ratesOf({ anonymous: 3 }),
  });
  const attempt = () => post('/api/v1/auth/login', { username: 'ada', password: 'a long password' });
  expect([(await attempt()).status, (await attempt()).status]).toEqual([401, 401]);
  expect((await post('/api/v1/auth/refresh', { refresh_token: 'x' })).status).toBe(401);
  const refused = await attempt();
  expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([429, '"auth";q=3;w=60']);
  expect(logIn).toHaveBeenCalledTimes(3);
});
