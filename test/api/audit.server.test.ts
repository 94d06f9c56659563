import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { hashPassword } from '../../auth/passwords.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createUserRepository } from '../../db/users.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { type IdentityProcess, startIdentityProcess } from '../auth/identity-process.ts';
import { startTestPostgres } from '../platform.ts';

// The API on a real Postgres, as its callers see it through a socket.
const PASSWORDS = [
  'correct horse battery',
  'staple battery horse',
  'not the password',
  'yet another password',
] as const;
const [PASSWORD, NEW_PASSWORD, WRONG, OTHER] = PASSWORDS;
let postgres: EmbeddedPostgres;
let connection: Connection;
let api: IdentityProcess;
let server: Awaited<ReturnType<typeof listenHttp>>;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await migrate(postgres.url);
  connection = connect(postgres.url);
  const passwordHash = await hashPassword(PASSWORD);
  const root = { name: 'root-admin', role: 'admin', email: 'root@example.com', passwordHash } as const;
  await createUserRepository(connection.db).create(root);
});
beforeEach(async () => {
  api = await startIdentityProcess(postgres.url);
  server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
});
afterEach(async () => {
  await server.close();
  await api.close();
});
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Of the row in the audit log. */
  readonly id: string;
}
let requests = 0;
async function call(
  method: string,
  path: string,
  token: string | null,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const id = `request-${++requests}`;
  const response = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, {
    method,
    headers: {
      'x-request-id': id,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers, id };
}
const rows = async () => (await api.auditLog.list({ limit: 200 })).items;
const rowOf = async ({ id }: Answer) => (await rows()).filter(({ requestId }) => requestId === id);
async function logIn(username: string, password: string) {
  const answer = await call('POST', '/auth/login', null, { username, password });
  return { answer, ...(JSON.parse(answer.text) as { access_token: string; refresh_token: string }) };
}

test('every use of the auth routes leaves one row that says who, what and from where, and no secret', async () => {
  const secrets: string[] = [...PASSWORDS];
  const root = await logIn('root-admin', PASSWORD);
  const make = { name: 'ada', email: 'ada@example.com', role: 'scientist', password: NEW_PASSWORD };
  const created = await call('POST', '/auth/users', root.access_token, make, { 'idempotency-key': 'k1' });
  const again = await call('POST', '/auth/users', root.access_token, make, { 'idempotency-key': 'k1' });
  const promoted = await call('PATCH', '/auth/users/ada', root.access_token, { role: 'deployer', password: OTHER });
  const ada = await logIn('ada', OTHER);
  const key = await call('POST', '/auth/api-keys', ada.access_token, { name: 'ci', scopes: ['predict'] });
  const { id: keyId, key: secret } = JSON.parse(key.text) as { id: string; key: string };
  const byKey = await call('POST', '/auth/logout', secret, { all: true });
  const wrong = await call('POST', '/auth/login', null, { username: 'ada', password: WRONG });
  const guessed = await call('GET', '/auth/users', `${ada.access_token.slice(0, -4)}AAAA`);
  const forbidden = await call('GET', '/auth/users/ada', ada.access_token);
  const refreshed = await call('POST', '/auth/refresh', null, { refresh_token: ada.refresh_token });
  const reused = await call('POST', '/auth/refresh', null, { refresh_token: ada.refresh_token });
  const revoked = await call('DELETE', `/auth/api-keys/${keyId}`, root.access_token);
  const changed = await call('POST', '/auth/me/password', root.access_token, {
    ...{ current_password: WRONG, new_password: NEW_PASSWORD },
  });
  const out = await call('POST', '/auth/logout', ada.access_token, { refresh_token: root.refresh_token });
  const gone = await call('DELETE', '/auth/users/ada', root.access_token);
  const nobody = await call('POST', '/auth/logout', null, { all: true });
  const unread = await call('GET', '/auth/me', root.access_token);

  const expected = [
    [root.answer, 'root-admin', 'login', 'login', 200, { username: 'root-admin' }],
    [created, 'root-admin', 'createUser', 'users/ada', 201, { role: 'scientist' }],
    [again, 'root-admin', 'createUser', 'users/ada', 201, { replayed: true }],
    [promoted, 'root-admin', 'updateUser', 'users/ada', 200, { role: 'deployer', new_password: true }],
    [ada.answer, 'ada', 'login', 'login', 200, {}],
    [key, 'ada', 'createApiKey', `api-keys/${keyId}`, 201, { name: 'ci', scopes: ['predict'] }],
    [byKey, 'ada/ci', 'logout', 'logout', 403, {}],
    [wrong, 'anonymous', 'login', 'login', 401, { username: 'ada' }],
    [guessed, 'anonymous', 'listUsers', 'users', 401, {}],
    [forbidden, 'ada', 'getUser', 'users/ada', 403, {}],
    [refreshed, 'ada', 'refreshTokens', 'refresh', 200, {}],
    [
      reused,
      'anonymous',
      'refreshTokens',
      'refresh',
      401,
      { reason: expect.stringContaining('used before') as string },
    ],
    [revoked, 'root-admin', 'revokeApiKey', `api-keys/${keyId}`, 204, {}],
    [changed, 'root-admin', 'changeMyPassword', 'me/password', 403, {}],
    [out, 'ada', 'logout', 'logout', 204, { everywhere: false }],
    [gone, 'root-admin', 'deleteUser', 'users/ada', 204, {}],
  ] as const;
  for (const [answer, actor, action, object, status, detail] of expected) {
    expect(answer.status, `${action}: ${answer.text}`).toBe(status);
    const row = { actor, action, object, status, address: '127.0.0.1', detail };
    expect(await rowOf(answer), action).toMatchObject([row]);
  }
  expect([nobody.status, await rowOf(nobody)]).toEqual([401, []]);
  expect([unread.status, await rowOf(unread)]).toEqual([200, []]);
  expect(await api.auditLog.verify()).toMatchObject({ head: { sequence: expected.length }, flaw: null });

  const { refresh_token } = JSON.parse(refreshed.text) as { refresh_token: string };
  secrets.push(secret, root.access_token, root.refresh_token, ada.access_token, ada.refresh_token, refresh_token);
  const kept = await connection.db.execute(sql`select * from idempotency_keys`);
  const written = [JSON.stringify(await rows()), JSON.stringify(kept), api.lines.join('\n')];
  for (const text of written) {
    expect(text.length).toBeGreaterThan(100);
    for (const value of secrets) expect(text.includes(value), value.slice(0, 12)).toBe(false);
  }
});

test('an answer that cannot be recorded does not leave, tokens included', async () => {
  await connection.db.execute(sql`alter table audit_log rename to audit_log_away`);
  try {
    const answer = await call('POST', '/auth/login', null, { username: 'root-admin', password: PASSWORD });
    expect([answer.status, answer.text]).toEqual([503, expect.not.stringContaining('token')]);
    const logged = api.lines.filter((line) => line.includes(answer.id) && line.includes('could not be recorded'));
    expect(JSON.parse(logged[0]!)).toMatchObject({ audit: { actor: 'root-admin', action: 'login', status: 200 } });
  } finally {
    await connection.db.execute(sql`alter table audit_log_away rename to audit_log`);
  }
});

test('the trail is read by pages and exported by whoever may, and the export is recorded', async () => {
  const { access_token: token } = await logIn('root-admin', PASSWORD);
  await call('POST', '/auth/login', null, { username: '=cmd|calc', password: WRONG });
  const first = JSON.parse((await call('GET', '/audit?limit=1', token)).text) as {
    items: unknown[];
    next_cursor: string;
  };
  expect(first.items).toMatchObject([{ action: 'login', actor: 'anonymous', detail: { username: '=cmd|calc' } }]);
  const second = await call('GET', `/audit?limit=1&cursor=${first.next_cursor}`, token);
  expect(JSON.parse(second.text)).toMatchObject({ items: [{ action: 'login', actor: 'root-admin', status: 200 }] });
  expect((await call('GET', '/audit?cursor=x', token)).status).toBe(404);
  for (const query of ['since=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59Z', 'object=users%2Fada'])
    expect((await call('GET', `/audit?${query}`, token)).status).toBe(200);
  const csv = await call('GET', '/audit/export?action=login', token);
  const lines = csv.text.trim().split('\r\n');
  expect(lines.length - 1).toBe((await rows()).filter(({ action }) => action === 'login').length);
  expect(await rowOf(csv)).toMatchObject([{ action: 'exportAuditEntries', status: 200, detail: { action: 'login' } }]);
});
