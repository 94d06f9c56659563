import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { makeApiKey } from '../../auth/api-key-format.ts';
import { createTokens } from '../../auth/tokens.ts';
import { createApiKeyRepository } from '../../db/api-keys.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createUserRepository } from '../../db/users.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres, temporaryFolder, type TemporaryFolder } from '../platform.ts';

let postgres: EmbeddedPostgres;
let connection: Connection;
let home: TemporaryFolder;
const children: ChildProcess[] = [];
const SOON = { timeout: 60_000, interval: 100 };
const EVER_MS = 600_000;
const JWT_SECRET_KEY = 'a-key-for-tests-only-of-more-than-32-characters';
beforeAll(async () => {
  [postgres, home] = await Promise.all([startTestPostgres(), temporaryFolder('home')]);
  await migrate(postgres.url);
  connection = connect(postgres.url);
});
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
  await home?.remove();
});

interface Line {
  readonly msg: string;
  readonly port?: number;
}
/** `node serving/main.ts` with its log lines. */
function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--no-warnings', 'serving/main.ts'], {
    env: {
      PATH: process.env['PATH'],
      ANNEAL_HOME: home.path,
      DATABASE_URL: postgres.url,
      JWT_SECRET_KEY,
      SERVING_PORT: '0',
      SHUTDOWN_GRACE_SECONDS: '120', // a busy machine is no reason to end in disorder
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  child.stderr.on('data', (data) => (output += String(data)));
  // 'close', not 'exit': then all of its output is here.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const listening = new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (text) => {
      output += text;
      const line = JSON.parse(text) as Line;
      if (line.port !== undefined) resolve(line.port);
    });
    void exited.then(() => reject(new Error(output)));
  });
  listening.catch(() => undefined);
  return { child, exited, listening, output: () => output };
}

const nodeOf = ({ pid }: ChildProcess): unknown => expect.stringMatching(new RegExp(`-${pid}$`));

test('the process says that it is alive but not ready, takes part in the handshake, and leaves it on SIGTERM', async () => {
  const { child, exited, listening } = startProcess({});
  const url = `http://127.0.0.1:${await listening}`;
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not_ready', reason: 'no endpoint has a model yet' },
  ]);
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ model_uri: 'models:/churn@production' });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('nodejs_eventloop_lag_seconds');
  const endpoints = createEndpointRepository(connection.db);
  const live = async () => expect(await endpoints.liveNodes()).toEqual([nodeOf(child)]);
  await vi.waitFor(live, SOON);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(await endpoints.liveNodes(EVER_MS)).toEqual([]);
});

test('a taken port is an error that names port and variable', async () => {
  const first = startProcess({});
  const port = await first.listening;
  const second = startProcess({ SERVING_PORT: String(port) });
  expect(await second.exited).not.toBe(0);
  expect(second.output()).toContain(`port ${port} is taken by another program; choose another with SERVING_PORT`);
  expect(await createEndpointRepository(connection.db).liveNodes(EVER_MS)).toEqual([nodeOf(first.child)]);
});

test('callers are let in without asking Postgres, also by a process that starts while it is away; what was ended stays so', async () => {
  const [database, folder] = await Promise.all([startTestPostgres(), temporaryFolder('callers')]);
  onTestFinished(() => database.stop().finally(folder.remove));
  await migrate(database.url);
  const own = connect(database.url);
  const users = createUserRepository(own.db);
  const apiKeys = createApiKeyRepository(own.db);
  const ada = await users.create({ name: 'ada', email: 'ada@example.com', role: 'user', passwordHash: 'none' });
  const [live, revoked] = [makeApiKey(), makeApiKey()];
  for (const { id, secretSha256 } of [live, revoked]) {
    const row = { id, secretSha256, userName: 'ada', name: id, scopes: ['predict' as const], endpoints: null };
    await apiKeys.create({ ...row, createdAt: new Date(), expiresAt: null });
  }
  const now = () => new Date();
  const tokens = createTokens({ secret: JWT_SECRET_KEY, accessMinutes: 5, refreshDays: 1, now });
  const token = await tokens.issue('access', ada);
  const foreign = createTokens({ secret: `${JWT_SECRET_KEY}!`, accessMinutes: 5, refreshDays: 1, now });
  const strangers = [
    await foreign.issue('access', ada),
    await tokens.issue('refresh', ada),
    makeApiKey().key,
    'rubbish',
  ];

  const env = { ANNEAL_HOME: folder.path, DATABASE_URL: database.url };
  const callers = async (port: number) => {
    const statusOf = async (credential: string) => {
      const headers = { authorization: `Bearer ${credential}` };
      return (await fetch(`http://127.0.0.1:${port}/api/v1/predict/models`, { headers })).status;
    };
    return await Promise.all([token, live.key, revoked.key, ...strangers].map(statusOf));
  };
  const first = startProcess(env);
  const port = await first.listening;
  // A process begins without its callers when the database takes more than 2 s.
  const callersKnown = async () => expect(await callers(port)).toEqual([200, 200, 200, 401, 401, 401, 401]);
  await vi.waitFor(callersKnown, SOON);
  await apiKeys.revoke(revoked.id, null);
  const revocationKnown = async () => expect(await callers(port)).toEqual([200, 200, 401, 401, 401, 401, 401]);
  await vi.waitFor(revocationKnown, SOON);

  first.child.kill('SIGTERM');
  await first.exited;
  // Noted at the end at the latest.
  expect((await apiKeys.list({ limit: 9 })).items.find(({ id }) => id === live.id)?.lastUsedAt).toBeInstanceOf(Date);
  await own.close();
  await database.stop();
  const second = startProcess(env);
  expect(await callers(await second.listening)).toEqual([200, 200, 401, 401, 401, 401, 401]);
});

test('a process without a signing key, or with a well-known one, does not start', async () => {
  for (const JWT_SECRET_KEY of ['', 'your-secret-key-change-in-production']) {
    const { exited, output } = startProcess({ JWT_SECRET_KEY });
    expect(await exited).not.toBe(0);
    expect(output()).toContain('JWT_SECRET_KEY');
    expect(output()).not.toContain('your-secret-key');
  }
});
