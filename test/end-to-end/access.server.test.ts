import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withinLooks } from '../looks.ts';
import { verifyAudit } from '../../cli/audit.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { scoreCustomer } from './customer.ts';
import { createApi, createUser, startTestPlatform, type Api, type TestPlatform } from './platform.ts';

let home: TemporaryFolder;
let platform: TestPlatform;
let scientist: Api;
beforeAll(async () => {
  home = await temporaryFolder('access');
  platform = await startTestPlatform({}, home.path);
  scientist = await createUser(platform, 'sofia', 'scientist');
});
afterAll(async () => {
  await platform?.stop();
  await home?.remove();
});

const QUICK = { candidates: [{ algorithm: 'logistic_regression' }], evaluation: { gates: [], max_regression: 1 } };
const SOON = { timeout: 60_000, interval: 100 };
const predict = async (credential: string) => (await scoreCustomer(platform.urls.serving, credential)).status;
/** What both processes say to a credential. */
const bothSay = async (credential: string) => [
  (await createApi(platform.urls.api, credential).get('/api/v1/models')).status,
  await predict(credential),
];
/** Looks 50 times, 100 ms apart: 5 s, and as much more as the processes that are asked take to answer. */
const expectWithin5s = <T>(look: () => Promise<T>, expected: T) =>
  withinLooks(50, 100, async () => expect(await look()).toEqual(expected));

interface Document {
  readonly paths: Record<string, Record<string, { readonly security?: readonly object[] }>>;
}
async function protectedRoutes(url: string): Promise<string[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { security = [] }]) => security.length > 0)
      .map(([method]) => `${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, 'x')}`),
  );
}

test.each(['api', 'serving'] as const)('without a token every route of %s that is not public answers 401', async (name) => {
  const url = platform.urls[name];
  const routes = await protectedRoutes(url);
  expect(routes).toEqual(expect.arrayContaining(name === 'api' ? ['POST /api/v1/train', 'GET /api/v1/auth/users'] : ['POST /predict', 'GET /meta']));
  for (const route of routes) {
    const [method, path] = route.split(' ');
    for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
      const response = await fetch(`${url}${path}`, { method, headers });
      expect([route, response.status]).toEqual([route, 401]);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await response.json()).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    }
  }
}); // prettier-ignore

test('a scientist uploads and trains but manages no users; a user predicts and does nothing else', async () => {
  const dataset = await scientist.uploadSample('churn', 2000);
  const request = { pipeline: 'churn', dataset_version: dataset, overrides: QUICK };
  const run = await scientist.finished(await scientist.train(request));
  expect(run.error?.message ?? run.state).toBe('COMPLETED');
  expect((await scientist.get('/api/v1/auth/users')).status).toBe(403);
  const eve = { name: 'eve', email: 'eve@example.com', role: 'admin', password: 'long enough to be one' };
  expect(await scientist.post('/api/v1/auth/users', eve)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });

  const user = await createUser(platform, 'una', 'user');
  await expect.poll(() => predict(user.token), SOON).toBe(200);
  expect(await user.post('/api/v1/train', request)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  await expect(user.uploadSample('churn', 10)).rejects.toThrow('403');
  for (const path of ['/api/v1/models', `/api/v1/datasets/${dataset}`, '/api/v1/auth/users']) {
    expect((await user.get(path)).status, path).toBe(403);
  }
});

test('an API key does what its scopes say on both processes, until it is revoked: within 5 seconds', async () => {
  const key = { name: 'shop', scopes: ['predict'] };
  const { status, body } = await scientist.post<{ id: string; key: string }>('/api/v1/auth/api-keys', key);
  expect(status).toBe(201);
  await expectWithin5s(() => bothSay(body.key), [403, 200]);
  expect((await scientist.send(`${platform.urls.api}/api/v1/auth/api-keys/${body.id}`, { method: 'DELETE' })).status).toBe(204); // prettier-ignore
  await expectWithin5s(() => bothSay(body.key), [401, 401]);
});

test('a change of role holds for tokens that are out, and a disabled user is out on both processes: within 5 seconds', async () => {
  const dora = await createUser(platform, 'dora', 'scientist');
  await expectWithin5s(() => bothSay(dora.token), [200, 200]);
  expect((await platform.call('PATCH', '/api/v1/auth/users/dora', { role: 'user' })).status).toBe(200);
  await expectWithin5s(() => bothSay(dora.token), [403, 200]);
  expect((await platform.call('PATCH', '/api/v1/auth/users/dora', { disabled: true })).status).toBe(200);
  await expectWithin5s(() => bothSay(dora.token), [401, 401]);
});

test('the audit trail names who started a run and what that put into production, and its chain holds', async () => {
  const trail = async (filter: string) => {
    const { status, body } = await platform.get<{ items: Record<string, unknown>[] }>(`/api/v1/audit?${filter}`);
    expect(status).toBe(200);
    return body.items;
  };
  const [started] = await trail('action=startTraining&actor=sofia');
  expect(started).toMatchObject({ status: 202, address: '127.0.0.1', detail: { pipeline: 'churn' } });
  const promotions = await trail('action=promote');
  expect(promotions).toMatchObject([{ actor: 'sofia', object: 'models/churn/versions/1', status: null }]);
  expect(started!.object).toBe(`runs/${promotions[0]!.request_id as string}`);
  expect(await trail('actor=una&action=uploadDataset')).toMatchObject([{ object: 'datasets', status: 403 }]);
  expect((await scientist.get('/api/v1/audit')).status).toBe(403);
  const config = loadConfig({ ANNEAL_HOME: home.path });
  const said = await verifyAudit(config, ['verify']);
  const head = /^head (.+)$/m.exec(said)![1]!;
  expect(await verifyAudit(config, ['verify', '--expect', head])).toContain('as expected');
});

test('only the owner may read the kept secrets; no log and no command line holds a password, a key or a token', async () => {
  const secrets = join(home.path, 'secrets');
  const names = await readdir(secrets);
  expect(names.sort()).toEqual(['admin-password', 'jwt-secret']);
  for (const name of names) expect((await stat(join(secrets, name))).mode & 0o777).toBe(0o600);
  expect((await stat(secrets)).mode & 0o777).toBe(0o700);

  const commands = (await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args='])).stdout;
  await platform.stop();
  const files = (await readdir(home.path, { recursive: true })).filter((name) => name.endsWith('.log'));
  const logs = await Promise.all(files.map((name) => readFile(join(home.path, name), 'utf8')));
  const places = { commands, logs: logs.join('\n'), reports: platform.reports.join('\n') };
  // The search must find what is there.
  expect(places.commands).toContain('workers/main.ts');
  expect(places.logs).toContain('/api/v1/auth/login');
  const kept = await Promise.all(
    names.map(async (name) => [name, (await readFile(join(secrets, name), 'utf8')).trim()]),
  );
  const all = { ...Object.fromEntries(kept), admin: platform.token, scientist: scientist.token, user: 'the password of one user' } as Record<string, string>; // prettier-ignore
  for (const [where, text] of Object.entries(places)) {
    for (const [what, secret] of Object.entries(all)) expect(text.includes(secret), `${what} in ${where}`).toBe(false);
  }
});
