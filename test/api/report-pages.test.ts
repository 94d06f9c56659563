import { expect, test } from 'vitest';
import { createAuthenticator } from '../../auth/authenticator.ts';
import type { KnownKey } from '../../auth/access-directory.ts';
import { makeApiKey } from '../../auth/api-key-format.ts';
import { createLoginGuard } from '../../auth/login-guard.ts';
import { hashPassword } from '../../auth/passwords.ts';
import { createSessions } from '../../auth/sessions.ts';
import { createTokens } from '../../auth/tokens.ts';
import type { ApiDeps } from '../../api/app.ts';
import { notFound } from '../../lib/errors.ts';
import { ratesOf } from '../auth/rates.ts';
import { createTestApp } from './doubles.ts';
import { reportedWindow } from './example-reports.ts';

const PASSWORD = 'correct:horse bättery';
const PASSWORD_HASH = await hashPassword(PASSWORD);
const HTML = 'text/html; charset=UTF-8';
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The API with real tokens, passwords and keys, whose users and clock a test moves, and one stored report. */
async function setUp({ role = 'scientist', ...limits }: { role?: 'user' | 'scientist'; anonymous?: number } = {}) {
  const ada = { name: 'ada', role, disabled: false, tokenVersion: 1, passwordHash: PASSWORD_HASH };
  const clock = { ms: Date.parse('2026-11-21T22:00:00Z') };
  const now = () => new Date(clock.ms);
  const keys = new Map<string, KnownKey>();
  const failures = new Map<string, number>();
  const counted = { passwords: 0 };
  const tokens = createTokens({ secret: 'k'.repeat(40), accessMinutes: 30, refreshDays: 7, now });
  const directory = {
    user: (name: string) => (name === 'ada' ? ada : undefined),
    apiKey: (id: string) => keys.get(id),
  };
  const sessions = createSessions({
    users: {
      find: (name) => (counted.passwords++, Promise.resolve((name === 'ada' ? ada : null) as never)),
      noteLogin: () => Promise.resolve(),
      endTokens: () => Promise.resolve(),
    },
    refreshTokens: {} as never,
    tokens,
    now,
  });
  const loginGuard = createLoginGuard({
    begin: (who) => {
      const failed = failures.get(who) ?? 0;
      failures.set(who, failed + 1);
      return Promise.resolve(failed < 5 ? 0 : 60_000);
    },
    forget: (who) => Promise.resolve(void failures.delete(who)),
  });
  const lists: unknown[] = [];
  const driftReports: ApiDeps['driftReports'] = {
    list: (filter) => (lists.push(filter), Promise.resolve({ items: [reportedWindow(3, files)], nextCursor: 'older' })),
    get: (endpoint, sequence) =>
      endpoint === 'loans' && sequence === 3
        ? Promise.resolve(reportedWindow(3, files))
        : Promise.reject(notFound('drift report', `${endpoint}/${sequence}`)),
  };
  const api = createTestApp({
    authenticate: createAuthenticator({ tokens, directory, now }),
    auth: { sessions, loginGuard, tokens, refreshAccess: () => Promise.resolve() } as never,
    rates: ratesOf(limits),
    driftReports,
  });
  const files = { pageSha256: (await api.store.put(Buffer.from('<!doctype html><p>the page'))).sha256 };
  const get = (path: string, headers: Record<string, string> = {}) =>
    Promise.resolve(api.app.fetch(new Request(`http://x${path}`, { headers })));
  const addKey = (changes: Partial<KnownKey> = {}) => {
    const { id, key, secretSha256 } = makeApiKey();
    const owner = { id, userName: 'ada', name: 'ci', expiresAt: null, expiresMs: Infinity, endpoints: null };
    const secretHash = Buffer.from(secretSha256, 'hex');
    keys.set(id, { ...owner, secretSha256, secretHash, scopes: ['data'], ...changes });
    return key;
  };
  return { ...api, get, addKey, ada, clock, tokens, counted, lists };
}
/** Of a Set-Cookie header, what a browser sends back. */
const cookieOf = (answer: Response) => answer.headers.get('set-cookie')?.split(';')[0] ?? '';

test.each(['/reports', '/reports/', '/reports/loans/3', '/reports/loans/4'])(
  'without a credential a browser is asked for one, and learns nothing of %s',
  async (path) => {
    const { get, lists } = await setUp();
    const answer = await get(path);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="Anneal", charset="UTF-8"');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(lists).toEqual([]);
  },
);

test('a password is checked once: a cookie that only these pages get takes its place', async () => {
  const { get, counted, clock, audit } = await setUp();
  const authorization = basic('ada', PASSWORD);
  const first = await get('/reports', { authorization });
  expect([first.status, first.headers.get('content-type')]).toEqual([200, HTML]);
  const attributes = first.headers.get('set-cookie')!.split('; ').slice(1).sort();
  expect(attributes).toEqual(['HttpOnly', 'Max-Age=1800', 'Path=/reports', 'SameSite=Strict']);
  expect(audit.rows).toMatchObject([
    { action: 'logInToPages', actor: 'ada', status: 200, detail: { username: 'ada' } },
  ]);

  const cookie = cookieOf(first);
  for (const headers of [{ cookie }, { cookie, authorization }] as Record<string, string>[]) {
    const page = await get('/reports/loans/3', headers);
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><p>the page']);
    expect(page.headers.get('set-cookie')).toBeNull();
  }
  expect(counted.passwords).toBe(1);

  clock.ms += 31 * 60_000;
  expect((await get('/reports', { cookie })).status).toBe(401);
  const again = await get('/reports', { cookie, authorization });
  expect(again.status).toBe(200);
  expect(cookieOf(again)).not.toBe(cookie);
});

test('behind a door that speaks TLS the cookie stays on TLS', async () => {
  const { get } = await setUp();
  const answer = await get('/reports', { authorization: basic('ada', PASSWORD), 'x-forwarded-proto': 'https' });
  expect(answer.headers.get('set-cookie')).toContain('; Secure');
});

test('neither the cookie nor a name and password open anything else', async () => {
  const { get } = await setUp();
  const authorization = basic('ada', PASSWORD);
  const cookie = cookieOf(await get('/reports', { authorization }));
  for (const headers of [{ cookie }, { authorization }] as Record<string, string>[]) {
    expect((await get('/api/v1/drift-reports', headers)).status).toBe(401);
    expect((await get('/api/v1/auth/me', headers)).status).toBe(401);
  }
});

test('a cookie ends with the tokens of its user', async () => {
  const { get, ada } = await setUp();
  const cookie = cookieOf(await get('/reports', { authorization: basic('ada', PASSWORD) }));
  ada.tokenVersion = 2;
  expect((await get('/reports', { cookie })).status).toBe(401);
  ada.tokenVersion = 1;
  ada.disabled = true;
  expect((await get('/reports', { cookie })).status).toBe(401);
  expect((await get('/reports', { cookie, authorization: basic('ada', PASSWORD) })).status).toBe(401);
});

test('a cookie of one user is no answer for the password of another', async () => {
  const { get } = await setUp();
  const cookie = cookieOf(await get('/reports', { authorization: basic('ada', PASSWORD) }));
  expect((await get('/reports', { cookie, authorization: basic('eve', 'guessed, and wrong') })).status).toBe(401);
  expect((await get('/reports', { cookie: 'anneal_reports=made-up' })).status).toBe(401);
  expect((await get('/reports', { cookie, authorization: 'Bearer made-up' })).status).toBe(401);
});

test('guessing passwords is as slow as at the login: recorded, then refused, the right password too', async () => {
  const { get, audit } = await setUp();
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = await get('/reports', { authorization: basic('ada', `wrong-${attempt}`) });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain('wrong-');
  }
  const locked = await get('/reports', { authorization: basic('ada', PASSWORD) });
  expect([locked.status, locked.headers.get('retry-after')]).toEqual([429, '60']);
  expect(audit.rows.map(({ action, status }) => `${action} ${status}`)).toEqual([
    ...Array.from({ length: 5 }, () => 'logInToPages 401'),
    'logInToPages 429',
  ]);
  expect(JSON.stringify(audit.rows)).not.toContain(PASSWORD);
});

test('an address may try as many passwords here as at the login', async () => {
  const { get } = await setUp({ anonymous: 3 });
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    statuses.push((await get('/reports', { authorization: basic(`user-${attempt}`, 'wrong password') })).status);
  }
  expect(statuses).toEqual([401, 401, 401, 429]);
});

test('a credential that is none is refused', async () => {
  const { get } = await setUp();
  const noColon = `Basic ${Buffer.from('no colon').toString('base64')}`;
  const made = [basic('', ''), basic('a\0da', 'x'), basic('ada', 'x'.repeat(100_000))];
  for (const authorization of ['Basic', 'Basic !!!', 'Digest username="ada"', noColon, ...made])
    expect((await get('/reports', { authorization })).status).toBe(401);
});

test('a key is a password of any user name, without a cookie, and opens what it is for', async () => {
  const { get, addKey } = await setUp();
  const opened = await get('/reports/loans/3', { authorization: basic('whoever', addKey()) });
  expect([opened.status, opened.headers.get('set-cookie')]).toEqual([200, null]);
  const answers = async (key: string) =>
    [
      (await get('/reports', { authorization: basic('x', key) })).status,
      (await get('/reports?endpoint=loans', { authorization: basic('x', key) })).status,
      (await get('/reports/loans/3', { authorization: basic('x', key) })).status,
    ].join();
  expect(await answers(addKey({ scopes: ['predict'] }))).toBe('403,403,403');
  expect(await answers(addKey({ endpoints: ['loans'] }))).toBe('403,200,200');
  expect(await answers(addKey({ endpoints: ['churn'] }))).toBe('403,403,403');
  expect(await answers(addKey({ expiresMs: 0 }))).toBe('401,401,401');
});

test('who may only predict sees no report', async () => {
  const { get } = await setUp({ role: 'user' });
  const answer = await get('/reports/loans/3', { authorization: basic('ada', PASSWORD) });
  expect([answer.status, (await answer.text()).includes('the page')]).toEqual([403, false]);
});

test('pages may neither run, load nor frame anything, and are kept by nobody', async () => {
  const { get, tokens, ada } = await setUp();
  const authorization = `Bearer ${await tokens.issue('access', ada)}`;
  const [list, page] = [await get('/reports', { authorization }), await get('/reports/loans/3', { authorization })];
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; ";
  expect(list.headers.get('content-security-policy')).toBe(
    `${policy}form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
  expect(page.headers.get('content-security-policy')).toBe(
    `${policy}form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
  );
  for (const { headers } of [list, page]) {
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([HTML, 'no-store']);
    expect([headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual(['nosniff', 'DENY']);
  }
});

test('the list takes what its form sends, and refuses what no form does', async () => {
  const { get, tokens, ada, lists } = await setUp();
  const authorization = `Bearer ${await tokens.issue('access', ada)}`;
  const list = await get('/reports?endpoint=loans&verdict=no_drift&since=2026-11-01&until=2026-11-02&cursor=', {
    authorization,
  });
  expect(await list.text()).toContain(
    '/reports?endpoint=loans&amp;verdict=no_drift&amp;since=2026-11-01&amp;until=2026-11-02&amp;cursor=older',
  );
  const [since, until] = [new Date('2026-11-01T00:00:00Z'), new Date('2026-11-03T00:00:00Z')];
  await get('/reports?endpoint=&verdict=&since=&until=', { authorization });
  const all = { limit: 50, cursor: undefined };
  expect(lists).toEqual([
    { ...all, endpoint: 'loans', drifted: false, since, until },
    { ...all, endpoint: undefined, drifted: undefined, since: undefined, until: undefined },
  ]);
  await get('/reports?since=0001-01-01&until=9999-12-31', { authorization });
  expect(lists[2]).toMatchObject({ since: new Date(0), until: new Date('9999-12-31T00:00:00Z') });
  for (const query of ['endpoint=<b>', 'verdict=maybe', 'since=2026-13-01', 'until=+275760-09-13', 'since=0000-00-00'])
    expect([query, (await get(`/reports?${query}`, { authorization })).status]).toEqual([query, 422]);
  for (const path of ['/reports/loans/0', '/reports/loans/three', '/reports/Loans/3', '/reports/loans/99999999999'])
    expect([path, (await get(path, { authorization })).status]).toEqual([path, 422]);
  expect((await get('/reports/loans/4', { authorization })).status).toBe(404);
});
