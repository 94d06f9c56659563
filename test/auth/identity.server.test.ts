import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { withinLooks } from '../looks.ts';
import { ensureFirstAdmin } from '../../auth/first-admin.ts';
import { hashPassword } from '../../auth/passwords.ts';
import type { Role } from '../../auth/roles.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createUserRepository } from '../../db/users.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres } from '../platform.ts';
import { type IdentityProcess, JWT_SECRET, startIdentityProcess } from './identity-process.ts';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'staple battery horse';
let postgres: EmbeddedPostgres;
let connection: Connection;
let passwordHash: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await migrate(postgres.url);
  connection = connect(postgres.url);
  passwordHash = await hashPassword(PASSWORD);
  await addUser('root-admin', 'admin');
});
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
});

const addUser = (name: string, role: Role) =>
  createUserRepository(connection.db).create({ name, role, email: 'someone@example.com', passwordHash });
/** A new user of that role, by name. */
async function someone(role: Role): Promise<string> {
  const name = `${role}-${randomUUID().slice(0, 8)}`;
  await addUser(name, role);
  return name;
}
async function start(options?: Parameters<typeof startIdentityProcess>[1]): Promise<IdentityProcess> {
  const started = await startIdentityProcess(postgres.url, options);
  onTestFinished(started.close);
  return started;
}
/** Looks 100 times, 50 ms apart: 5 s, and as much more as Postgres, which is asked each time too, takes to answer. */
const within5s = (check: () => Promise<void>) =>
  withinLooks(100, 50, async () => {
    await connection.sql`select 1`;
    await check();
  });
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

test('whoever logs in gets tokens of the configured lifetimes and is who they said', async () => {
  const api = await start();
  const ada = await someone('scientist');
  const { status, body } = await api.call('POST', '/login', null, { username: ada, password: PASSWORD });
  expect([status, body]).toEqual([
    200,
    {
      access_token: expect.any(String) as string,
      refresh_token: expect.any(String) as string,
      token_type: 'bearer',
      expires_in: 1800,
      refresh_expires_in: 604_800,
      role: 'scientist',
    },
  ]);
  const me = await api.call('GET', '/me', body['access_token'] as string);
  expect(me).toMatchObject({ status: 200, body: { name: ada, role: 'scientist', api_key: null, endpoints: null } });
  expect((await api.users.find(ada))?.lastLoginAt).toBeInstanceOf(Date);
});

test('a wrong password, an unknown, a disabled and an impossible user get the same answer after about the same time', async () => {
  const api = await start();
  const [ada, disabled] = [await someone('user'), await someone('user')];
  await api.users.update(disabled, { disabled: true });
  const cases = { wrong: ada, unknown: 'nobody', disabled, impossible: "x' or '\u0000" };
  const spent = new Map<string, number[]>();
  const answers = new Set<string>();
  // Of the shortest of each: a busy machine only adds to it, so that more rounds tell the truth.
  const ratio = () => {
    const shortest = [...spent.values()].map((values) => Math.min(...values));
    return Math.max(...shortest) / Math.min(...shortest);
  };
  for (let round = 0; round < 7 || (round < 50 && ratio() >= 3); round++) {
    for (const [name, username] of Object.entries(cases)) {
      const started = performance.now();
      const password = name === 'disabled' ? PASSWORD : 'not the password';
      const { status, body } = await api.call('POST', '/login', null, { username, password });
      spent.set(name, [...(spent.get(name) ?? []), performance.now() - started]);
      answers.add(JSON.stringify({ status, ...body, request_id: '' }));
    }
  }
  expect(answers.size).toBe(1);
  expect([...answers][0]).toContain('"status":401');
  expect(ratio()).toBeLessThan(3);
});

test('of 50 concurrent refreshes over two processes one wins, and its session goes on', async () => {
  const [first, second] = [await start(), await start()];
  const ada = await someone('user');
  await second.directory.refresh();
  const { refresh_token: token } = await first.logIn(ada, PASSWORD);
  const answers = await Promise.all(times(50, (index) => (index % 2 ? first : second).refresh(token)));
  const winners = answers.filter(({ status }) => status === 200);
  expect(winners).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  const won = winners[0]!.body as { access_token: string; refresh_token: string };
  expect(await second.statusOf(won.access_token)).toBe(200);
  // The others came while the winner was being answered: a race, no theft.
  expect((await second.refresh(won.refresh_token)).status).toBe(200);
});

test('a refresh token that comes again after its use ends its whole family, and no other', async () => {
  const api = await start();
  const ada = await someone('user');
  const stolen = await api.logIn(ada, PASSWORD);
  const elsewhere = await api.logIn(ada, PASSWORD);
  const next = (await api.refresh(stolen.refresh_token)).body as { refresh_token: string };
  const last = (await api.refresh(next.refresh_token)).body as { refresh_token: string };
  // At once, without a tick of the clock in between: the answer itself made sure of that.
  expect(await api.refresh(stolen.refresh_token)).toMatchObject({
    status: 401,
    body: { detail: 'the refresh token was used before; log in again' },
  });
  expect((await api.refresh(last.refresh_token)).status).toBe(401);
  expect((await api.refresh(elsewhere.refresh_token)).status).toBe(200);
});

test('a token that was being issued while its family was revoked does not hold', async () => {
  const api = await start();
  const ada = await someone('user');
  const { refresh_token: token } = await api.logIn(ada, PASSWORD);
  const [{ family }] = await connection.sql<[{ family: string }]>`
    select family from refresh_tokens where user_name = ${ada}`;
  const addLate = async () => {
    const [jti, issuedAt] = [randomUUID(), new Date()];
    await api.refreshTokens.add({ jti, family, userName: ada, issuedAt, expiresAt: issuedAt });
    return await api.tokens.issue('refresh', (await api.users.find(ada))!, jti);
  };
  expect((await api.refresh(await addLate())).status).toBe(200);
  await api.refreshTokens.revokeFamily(family);
  expect((await api.refresh(await addLate())).status).toBe(401);
  expect((await api.refresh(token)).status).toBe(401);
});

test('reuse right after use is reuse, every time', async () => {
  const api = await start();
  const ada = await someone('user');
  for (let round = 0; round < 10; round++) {
    const { refresh_token: token } = await api.logIn(ada, PASSWORD);
    const next = (await api.refresh(token)).body as { refresh_token: string };
    await api.refresh(token);
    expect((await api.refresh(next.refresh_token)).status).toBe(401);
  }
});

test('an access token cannot refresh and a refresh token cannot call', async () => {
  const api = await start();
  const pair = await api.logIn(await someone('user'), PASSWORD);
  expect((await api.refresh(pair.access_token)).status).toBe(401);
  expect(await api.statusOf(pair.refresh_token)).toBe(401);
  expect((await api.refresh('rubbish')).status).toBe(401);
  expect((await api.refresh(pair.refresh_token)).status).toBe(200);
});

test.each([
  ['by notification', { notified: true }],
  ['by polling alone', { notified: false }],
])('disabling, demoting and ending sessions reach another process within 5 s: %s', async (_, options) => {
  const [here, there] = [await start(), await start(options)];
  const { access_token: admin } = await here.logIn('root-admin', PASSWORD);
  const [ada, bob, eve] = [await someone('scientist'), await someone('admin'), await someone('user')];
  await there.directory.refresh();
  const [adas, bobs, eves] = await Promise.all([ada, bob, eve].map((name) => here.logIn(name, PASSWORD)));
  for (const { access_token: token } of [adas!, bobs!, eves!]) expect(await there.statusOf(token)).toBe(200);
  expect((await there.call('GET', '/users', bobs!.access_token)).status).toBe(200);

  expect((await here.call('PATCH', `/users/${ada}`, admin, { disabled: true })).status).toBe(200);
  expect((await here.call('PATCH', `/users/${bob}`, admin, { role: 'user' })).status).toBe(200);
  expect((await here.call('POST', '/logout', eves!.access_token, { all: true })).status).toBe(204);
  // Here at once.
  expect(await here.statusOf(adas!.access_token)).toBe(401);
  expect((await here.call('GET', '/users', bobs!.access_token)).status).toBe(403);
  expect(await here.statusOf(eves!.access_token)).toBe(401);
  await within5s(async () => {
    expect(await there.statusOf(adas!.access_token)).toBe(401);
    expect((await there.call('GET', '/users', bobs!.access_token)).status).toBe(403);
    expect(await there.statusOf(eves!.access_token)).toBe(401);
  });
  for (const { refresh_token: token } of [adas!, eves!]) expect((await there.refresh(token)).status).toBe(401);
  // Enabled again, old tokens stay dead.
  await here.call('PATCH', `/users/${ada}`, admin, { disabled: false });
  expect(await here.statusOf(adas!.access_token)).toBe(401);
  expect(await here.statusOf((await here.logIn(ada, PASSWORD)).access_token)).toBe(200);
});

test('a change that somebody makes in the database by hand is heard too', async () => {
  const api = await start();
  const ada = await someone('user');
  const { access_token: token } = await api.logIn(ada, PASSWORD);
  await connection.sql`update users set disabled = true where name = ${ada}`;
  await within5s(async () => expect(await api.statusOf(token)).toBe(401));
});

test('logging in and using keys make no process load anything, changes do', async () => {
  const api = await start();
  const ada = await someone('user');
  const revision = async () => (await connection.sql<{ revision: string }[]>`select revision from access_revision`)[0];
  const { access_token: token, refresh_token: refresh } = await api.logIn(ada, PASSWORD);
  const wanted = { name: 'ci', scopes: ['predict'] };
  const { body } = await api.call('POST', '/api-keys', token, wanted);
  const before = await revision();
  await api.logIn(ada, PASSWORD);
  await api.refresh(refresh);
  await api.apiKeys.noteUses([{ id: body['id'] as string, at: new Date() }]);
  expect(await revision()).toEqual(before);
  await api.call('DELETE', `/api-keys/${body['id'] as string}`, token);
  expect(await revision()).not.toEqual(before);
});

test('no request asks the database who calls', async () => {
  const api = await start();
  const { access_token: token } = await api.logIn(await someone('user'), PASSWORD);
  await api.close();
  expect(await api.statusOf(token)).toBe(200);
});

test('logging out ends the session of the given token and leaves others alone', async () => {
  const api = await start();
  const [ada, eve] = [await someone('user'), await someone('user')];
  const [here, there, eves] = [
    await api.logIn(ada, PASSWORD),
    await api.logIn(ada, PASSWORD),
    await api.logIn(eve, PASSWORD),
  ];
  const logout = (body: unknown) => api.call('POST', '/logout', here.access_token, body);
  for (const notMine of [eves.refresh_token, here.access_token, 'rubbish']) {
    expect((await logout({ refresh_token: notMine })).status).toBe(204);
  }
  expect((await logout({ refresh_token: here.refresh_token })).status).toBe(204);
  expect((await api.refresh(here.refresh_token)).status).toBe(401);
  for (const { refresh_token: token } of [there, eves]) expect((await api.refresh(token)).status).toBe(200);
});

test('a new password, by oneself or an administrator, ends all tokens and the old password', async () => {
  const api = await start();
  const { access_token: admin } = await api.logIn('root-admin', PASSWORD);
  const ada = await someone('user');
  const mine = await api.logIn(ada, PASSWORD);
  const change = (current: string, next: string) =>
    api.call('POST', '/me/password', mine.access_token, { current_password: current, new_password: next });
  expect(await change('not the password', NEW_PASSWORD)).toMatchObject({ status: 403 });
  expect(await change(PASSWORD, 'short')).toMatchObject({ status: 422, body: { errors: [{ path: 'new_password' }] } });
  expect(await change(PASSWORD, ada.toUpperCase())).toMatchObject({ status: 422 });
  expect((await change(PASSWORD, NEW_PASSWORD)).status).toBe(204);
  expect(await api.statusOf(mine.access_token)).toBe(401);
  expect((await api.refresh(mine.refresh_token)).status).toBe(401);
  expect((await api.call('POST', '/login', null, { username: ada, password: PASSWORD })).status).toBe(401);

  const again = await api.logIn(ada, NEW_PASSWORD);
  expect((await api.call('PATCH', `/users/${ada}`, admin, { password: PASSWORD })).status).toBe(200);
  expect(await api.statusOf(again.access_token)).toBe(401);
  await api.logIn(ada, PASSWORD);
});

test('a user who is made again under an old name gets none of the old tokens and keys', async () => {
  const api = await start();
  const { access_token: admin } = await api.logIn('root-admin', PASSWORD);
  const ada = await someone('user');
  const old = await api.logIn(ada, PASSWORD);
  const { body } = await api.call('POST', '/api-keys', old.access_token, { name: 'ci', scopes: ['predict'] });
  expect((await api.call('DELETE', `/users/${ada}`, admin)).status).toBe(204);
  expect(await api.statusOf(old.access_token)).toBe(401);
  await addUser(ada, 'user');
  await api.logIn(ada, PASSWORD);
  for (const credential of [old.access_token, body['key'] as string]) expect(await api.statusOf(credential)).toBe(401);
  expect((await api.refresh(old.refresh_token)).status).toBe(401);
});

test('users are created, listed page by page, changed and deleted; names are unique and rules are named', async () => {
  const api = await start();
  const { access_token: admin } = await api.logIn('root-admin', PASSWORD);
  const name = `new-${randomUUID().slice(0, 8)}`;
  const user = { name, email: 'new@example.com', role: 'deployer', password: PASSWORD };
  const created = await api.call('POST', '/users', admin, user);
  const shown = { name, email: 'new@example.com', role: 'deployer', disabled: false, last_login_at: null };
  expect(created).toMatchObject({ status: 201, body: shown });
  expect((await api.call('POST', '/users', admin, user)).status).toBe(409);
  expect((await api.call('POST', '/users', admin, { ...user, name: 'anonymous' })).status).toBe(409);
  expect(await api.call('GET', `/users/${name}`, admin)).toMatchObject({ status: 200, body: shown });
  const patched = await api.call('PATCH', `/users/${name}`, admin, { role: 'user', email: 'other@example.com' });
  expect(patched).toMatchObject({ status: 200, body: { role: 'user', email: 'other@example.com' } });
  for (const [body, path] of [
    [{ ...user, name: 'A B' }, 'name'],
    [{ ...user, name: 'a/b' }, 'name'],
    [{ ...user, password: 'eleven char' }, 'password'],
    [{ ...user, password: 'x'.repeat(257) }, 'password'],
    [{ ...user, email: 'nobody' }, 'email'],
    [{ ...user, role: 'owner' }, 'role'],
    [{ ...user, token_version: 1 }, 'token_version'],
  ] as const) {
    const answer = await api.call('POST', '/users', admin, body);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
  }
  expect((await api.call('PATCH', `/users/${name}`, admin, {})).status).toBe(422);

  const names: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await api.call('GET', `/users?limit=2${cursor && `&cursor=${cursor}`}`, admin);
    names.push(...(body['items'] as { name: string }[]).map((item) => item.name));
    cursor = body['next_cursor'] as string | null;
  }
  expect(names).toEqual([...new Set(names)].sort());
  expect(names).toContain(name);

  expect((await api.call('DELETE', `/users/${name}`, admin)).status).toBe(204);
  for (const method of ['GET', 'DELETE']) expect((await api.call(method, `/users/${name}`, admin)).status).toBe(404);
  expect((await api.call('PATCH', `/users/${name}`, admin, { role: 'user' })).status).toBe(404);
});

test('only administrators see or change users', async () => {
  const api = await start();
  const victim = await someone('user');
  for (const role of ['user', 'scientist', 'deployer'] as const) {
    const { access_token: token } = await api.logIn(await someone(role), PASSWORD);
    const user = { name: 'x', email: 'x@example.com', role: 'admin', password: PASSWORD };
    expect((await api.call('GET', '/users', token)).status).toBe(403);
    expect((await api.call('POST', '/users', token, user)).status).toBe(403);
    expect((await api.call('PATCH', `/users/${victim}`, token, { role: 'admin' })).status).toBe(403);
    expect((await api.call('DELETE', `/users/${victim}`, token)).status).toBe(403);
  }
});

test('the last enabled administrator can be neither disabled, demoted nor deleted, even by two at once', async () => {
  const database = await ownDatabase('last_admin');
  const api = await startIdentityProcess(database);
  onTestFinished(api.close);
  for (const name of ['one', 'two'])
    await api.users.create({ name, role: 'admin', email: 'a@b.example', passwordHash });
  const [one, two] = [await api.logIn('one', PASSWORD), await api.logIn('two', PASSWORD)];
  const race = await Promise.all([
    api.call('PATCH', '/users/two', one.access_token, { role: 'user' }),
    api.call('DELETE', '/users/one', two.access_token),
  ]);
  const statuses = race.map(({ status }) => status);
  expect(statuses.filter((status) => status < 300)).toHaveLength(1);
  const [last, token] = statuses[0] === 200 ? ['one', one.access_token] : ['two', two.access_token];
  for (const change of [{ disabled: true }, { role: 'user' }, { role: 'deployer', disabled: true }]) {
    const answer = await api.call('PATCH', `/users/${last}`, token, change);
    expect(answer).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
  }
  expect((await api.call('DELETE', `/users/${last}`, token)).status).toBe(409);
  expect((await api.call('PATCH', `/users/${last}`, token, { email: 'still@b.example' })).status).toBe(200);
});

test('nobody takes their own rights away, or a password without the old one: a stolen token would do just that', async () => {
  const database = await ownDatabase('own_account');
  const api = await startIdentityProcess(database);
  onTestFinished(api.close);
  for (const name of ['one', 'two'])
    await api.users.create({ name, role: 'admin', email: 'a@b.example', passwordHash });
  const { access_token } = await api.logIn('one', PASSWORD);
  for (const change of [{ disabled: true }, { role: 'user' }, { password: 'another long password' }]) {
    const answer = await api.call('PATCH', '/users/one', access_token, change);
    expect(answer).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect((await api.call('PATCH', '/users/two', access_token, change)).status).toBe(200);
  }
  expect((await api.call('DELETE', '/users/one', access_token)).status).toBe(409);
  expect((await api.call('PATCH', '/users/one', access_token, { email: 'new@b.example' })).status).toBe(200);
});

test('an API key is shown once, does what it may, and notes when it was used', async () => {
  const api = await start();
  const ada = await someone('scientist');
  const { access_token: token } = await api.logIn(ada, PASSWORD);
  const wanted = { name: 'ci', scopes: ['predict', 'train'], endpoints: ['churn'], expires_in_days: 30 };
  const { status, body: created } = await api.call('POST', '/api-keys', token, wanted);
  expect(status).toBe(201);
  const key = created['key'] as string;
  expect(key).toMatch(/^anneal_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  const lifetimeMs = Date.parse(created['expires_at'] as string) - Date.parse(created['created_at'] as string);
  expect(lifetimeMs).toBe(30 * 86_400_000);
  expect(await api.call('GET', '/me', key)).toMatchObject({
    status: 200,
    body: { name: ada, role: 'scientist', scopes: ['predict', 'train'], api_key: 'ci', endpoints: ['churn'] },
  });
  const list = await api.call('GET', '/api-keys', token);
  expect(list.body['items']).toMatchObject([{ id: created['id'], name: 'ci', user: ada, revoked_at: null }]);
  expect(list.text).not.toContain(key);
  expect(list.text).not.toContain(key.split('_')[2]);
  await vi.waitFor(async () => {
    const [used] = (await api.call('GET', '/api-keys', token)).body['items'] as { last_used_at: string | null }[];
    expect(Date.now() - Date.parse(used!.last_used_at!)).toBeLessThan(60_000);
  }, 60_000);
  expect((await api.call('POST', '/api-keys', token, wanted)).status).toBe(409);
});

test('a key can do no more than its maker, and cannot change who may call', async () => {
  const api = await start();
  const ada = await someone('user');
  const { access_token: token } = await api.logIn(ada, PASSWORD);
  const make = (body: object) => api.call('POST', '/api-keys', token, { name: 'ci', scopes: ['predict'], ...body });
  expect(await make({ scopes: ['predict', 'train'] })).toMatchObject({ status: 403 });
  for (const [body, path] of [
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['everything'] }, 'scopes.0'],
    [{ expires_in_days: 3651 }, 'expires_in_days'],
    [{ expires_in_days: 0 }, 'expires_in_days'],
    [{ name: 'a/b' }, 'name'],
    [{ endpoints: ['../x'] }, 'endpoints.0'],
    [{ user: 'root-admin' }, 'user'],
  ] as const) {
    expect(await make(body)).toMatchObject({ status: 422, body: { errors: [{ path }] } });
  }
  const { access_token: admin } = await api.logIn('root-admin', PASSWORD);
  const all = { name: randomUUID(), scopes: ['predict', 'data', 'train', 'registry', 'release', 'admin'] };
  const { body } = await api.call('POST', '/api-keys', admin, all);
  const key = body['key'] as string;
  const user = { name: 'mallory', email: 'm@example.com', role: 'admin', password: PASSWORD };
  expect((await api.call('GET', '/users', key)).status).toBe(200);
  for (const [method, path, sent] of [
    ['POST', '/api-keys', all],
    ['DELETE', `/api-keys/${body['id'] as string}`, undefined],
    ['POST', '/users', user],
    ['PATCH', `/users/${ada}`, { role: 'admin' }],
    ['DELETE', `/users/${ada}`, undefined],
    ['POST', '/me/password', { current_password: PASSWORD, new_password: NEW_PASSWORD }],
    ['POST', '/logout', { all: true }],
  ] as const) {
    expect(await api.call(method, path, key, sent)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  }
});

test('a revoked, an expired and a disabled user’s key are dead within 5 s in another process; a demoted user’s has less', async () => {
  const [here, there] = [await start(), await start({ notified: false })];
  const { access_token: admin } = await here.logIn('root-admin', PASSWORD);
  const makeKey = async (role: Role) => {
    const name = await someone(role);
    const { access_token: token } = await here.logIn(name, PASSWORD);
    const { body } = await here.call('POST', '/api-keys', token, { name: 'ci', scopes: ['predict', 'registry'] });
    return { name, token, id: body['id'] as string, key: body['key'] as string };
  };
  const keys = [
    await makeKey('deployer'),
    await makeKey('deployer'),
    await makeKey('deployer'),
    await makeKey('deployer'),
  ];
  const [revoked, disabled, demoted, expired] = keys as [
    (typeof keys)[0],
    (typeof keys)[0],
    (typeof keys)[0],
    (typeof keys)[0],
  ];
  await there.directory.refresh();
  for (const { key } of keys) expect(await there.statusOf(key)).toBe(200);
  // Not by somebody else.
  expect((await here.call('DELETE', `/api-keys/${revoked.id}`, disabled.token)).status).toBe(404);
  expect((await here.call('DELETE', `/api-keys/${revoked.id}`, revoked.token)).status).toBe(204);
  await here.call('PATCH', `/users/${disabled.name}`, admin, { disabled: true });
  await here.call('PATCH', `/users/${demoted.name}`, admin, { role: 'user' });
  await connection.sql`update api_keys set expires_at = now() where id = ${expired.id}`;
  await within5s(async () => {
    for (const { key } of [revoked, disabled, expired]) expect(await there.statusOf(key)).toBe(401);
    expect((await there.call('GET', '/me', demoted.key)).body['scopes']).toEqual(['predict']);
  });
  // An administrator sees everybody's and may revoke any; its name is free again then.
  const { body: list } = await here.call('GET', '/api-keys?limit=200', admin);
  expect((list['items'] as { user: string }[]).map(({ user }) => user)).toContain(demoted.name);
  expect((await here.call('DELETE', `/api-keys/${demoted.id}`, admin)).status).toBe(204);
  expect((await here.call('DELETE', `/api-keys/${demoted.id}`, admin)).status).toBe(204);
  expect((await here.call('DELETE', `/api-keys/${'0'.repeat(16)}`, admin)).status).toBe(404);
  const again = { name: 'ci', scopes: ['predict'] };
  expect((await here.call('POST', '/api-keys', demoted.token, again)).status).toBe(201);
});

test('a user has at most 100 keys, however many are asked for at once', async () => {
  const api = await start();
  const { access_token: token } = await api.logIn(await someone('user'), PASSWORD);
  const answers = await Promise.all(
    times(104, (index) => api.call('POST', '/api-keys', token, { name: `k${index}`, scopes: ['predict'] })),
  );
  const made = answers.filter(({ status }) => status === 201);
  expect([made.length, answers.filter(({ status }) => status === 409).length]).toEqual([100, 4]);
});

test('no answer and no log line holds a password, a hash, a token that was given, or the signing key', async () => {
  const api = await start();
  const { access_token: admin, refresh_token: refresh } = await api.logIn('root-admin', PASSWORD);
  const name = await someone('user');
  const key = (await api.call('POST', '/api-keys', admin, { name: randomUUID(), scopes: ['predict'] })).body['key'];
  const answers = [
    await api.call('GET', '/me', admin),
    await api.call('GET', '/users?limit=200', admin),
    await api.call('GET', `/users/${name}`, admin),
    await api.call('PATCH', `/users/${name}`, admin, { password: NEW_PASSWORD }),
    await api.call('GET', '/api-keys?limit=200', admin),
    await api.call('POST', '/login', null, { username: name, password: PASSWORD }),
    await api.call('POST', '/login', null, { username: name, password: PASSWORD, more: NEW_PASSWORD }),
    await api.call('POST', '/users', admin, { name: 'x', password: 'short one' }),
    await api.call('POST', '/refresh', null, { refresh_token: `${refresh}x` }),
    await api.call('POST', '/logout', admin, { refresh_token: `${refresh}x` }),
    await api.call('GET', '/me', `${admin}x`),
  ];
  const hashes = await connection.sql<{ hash: string }[]>`
    select password_hash as hash from users union all select secret_sha256 from api_keys`;
  const secrets = [PASSWORD, NEW_PASSWORD, 'short one', JWT_SECRET, admin, refresh, key as string];
  const written = [...answers.map(({ text }) => text), ...api.lines].join('\n');
  expect(api.lines.length).toBeGreaterThan(answers.length);
  for (const secret of [...secrets, ...hashes.map(({ hash }) => hash), 'argon2']) expect(written).not.toContain(secret);
});

test('the first administrator is made once, and nobody starts without one', async () => {
  const url = await ownDatabase('first_admin');
  const own = connect(url);
  onTestFinished(own.close);
  const users = createUserRepository(own.db);
  const admin = { name: 'boss', email: 'boss@example.com' };
  await expect(ensureFirstAdmin(users, { ...admin, password: undefined })).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'ADMIN_PASSWORD' }],
  });
  const made = await Promise.all(times(4, () => ensureFirstAdmin(users, { ...admin, password: PASSWORD })));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await users.find('boss')).toMatchObject({ role: 'admin', disabled: false, email: 'boss@example.com' });
  const before = (await users.find('boss'))!.passwordHash;
  expect(await ensureFirstAdmin(users, { ...admin, password: NEW_PASSWORD })).toBe(false);
  expect((await users.find('boss'))!.passwordHash).toBe(before);
  expect(await ensureFirstAdmin(users, { ...admin, name: 'other', password: undefined })).toBe(false);
});

test('refresh tokens that expired are forgotten and no longer hold', async () => {
  const api = await start();
  const ada = await someone('user');
  const { refresh_token: token } = await api.logIn(ada, PASSWORD);
  const kept = async () => (await connection.sql`select 1 from refresh_tokens where user_name = ${ada}`).length;
  await api.refreshTokens.prune(new Date());
  expect(await kept()).toBe(1);
  await api.refreshTokens.prune(new Date(Date.now() + 8 * 86_400_000));
  expect(await kept()).toBe(0);
  expect((await api.refresh(token)).status).toBe(401);
});

/** An empty, migrated database beside the others. */
async function ownDatabase(name: string): Promise<string> {
  await connection.sql.unsafe(`create database ${name}`);
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  await migrate(url.href);
  return url.href;
}
