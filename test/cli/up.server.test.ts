import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { fetchWith, tokenFor } from '../../cli/session.ts';
import { startPlatform, type Platform } from '../../cli/up.ts';
import { isAlive } from '../../lib/child-process.ts';
import { ConfigSchema, loadConfig } from '../../lib/config.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
let home: TemporaryFolder;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  home = await temporaryFolder('home');
  const ports = Object.keys(ConfigSchema.shape).filter((name) => name.endsWith('_PORT'));
  env = { ...process.env, ...Object.fromEntries(ports.map((name) => [name, '0'])), ANNEAL_HOME: home.path };
});
afterAll(() => home.remove());

const start = (changes: NodeJS.ProcessEnv = {}, report?: (line: string) => void): Promise<Platform> =>
  startPlatform(loadConfig({ ...env, ...changes }), { env: { ...env, ...changes }, report });
const callAsAdmin = async (api: string) => fetchWith(await tokenFor(loadConfig({ ANNEAL_HOME: home.path }), api));
const gone = (pids: readonly number[]) =>
  vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 120_000, interval: 200 });

async function createPipeline({ urls }: Platform, name: string): Promise<number> {
  const definition = {
    name,
    target: { column: 'y' },
    features: { x: { type: 'numeric' } },
    candidates: [{ algorithm: 'logistic_regression' }],
  };
  const call = await callAsAdmin(urls.api);
  const response = await call(`${urls.api}/api/v1/pipelines/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(definition),
  });
  return response.status;
}

test('starts everything, starts again what dies, lets no second one in, and leaves nothing', async () => {
  const lines: string[] = [];
  const platform = await start({}, (line) => lines.push(line));
  onTestFinished(() => void platform.stop());
  expect(Object.keys(platform.pids()).sort()).toEqual(
    ['api', 'postgres', 'serving', 'temporal', 'worker-monitoring', 'worker-pipeline', 'worker-training'].sort(),
  );
  const { docs, serving, temporalUi } = platform.urls;
  for (const url of [docs, `${serving}/livez`, temporalUi!]) expect((await fetch(url)).status).toBe(200);
  expect(await createPipeline(platform, 'kept')).toBeLessThan(300);
  await expect(start()).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('ANNEAL_HOME') as string,
  });

  const before = platform.pids()['worker-training']!;
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => expect(platform.pids()['worker-training']).not.toBe(before), { timeout: 240_000 });
  expect(lines.join('\n')).toContain('worker-training ended unexpectedly');

  const pids = Object.values(platform.pids());
  expect(await platform.stop()).toBe(true);
  await gone(pids);
  const log = await readFile(join(home.path, 'logs', 'api.log'), 'utf8');
  for (const line of log.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ service: 'api' });
  expect(log).not.toContain(new URL(platform.databaseUrl).password);
});

test('a second start finds the data of the first; kill -9 of `anneal up` leaves no process behind', async () => {
  const up = spawn(process.execPath, [join(PROJECT, 'cli', 'anneal.ts'), 'up'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  up.stderr.on('data', (text) => (said += String(text)));
  let api = '';
  for await (const line of createInterface({ input: up.stdout })) {
    api = /API {2,}(http:\S+)/.exec(line)?.[1] ?? api;
    if (line.includes('Ctrl-C')) break;
  }
  expect(api, said).not.toBe('');
  expect((await (await callAsAdmin(api))(`${api}/api/v1/pipelines/kept`)).status).toBe(200);
  const pids = await Promise.all(
    ['api', 'serving', 'worker-pipeline', 'worker-training', 'worker-monitoring'].map((name) =>
      pidOf(`run/${name}.pid`),
    ),
  );
  pids.push(await pidOf('postgres/cluster/postmaster.pid'), await pidOf('temporal/temporal-guard.pid'));
  expect(pids.filter(isAlive)).toEqual(pids);
  up.kill('SIGKILL');
  await once(up, 'exit');
  await gone(pids);
});

test('with a database of your own and no JWT_SECRET_KEY nothing is started', async () => {
  const lines: string[] = [];
  const refused = start({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/anneal' }, (line) => lines.push(line));
  await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'JWT_SECRET_KEY' }] });
  expect(lines).toEqual([]);
});

test('a taken port is named, and nothing stays behind', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const taken = String((server.address() as AddressInfo).port);
  await expect(start({ SERVING_PORT: taken })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: `port ${taken} is taken by another program; choose another with SERVING_PORT`,
  });
});

test('a service that does not start says why, and the servers are stopped', async () => {
  const lines: string[] = [];
  // The configuration of the services is broken, not the one that startPlatform was given.
  const config = loadConfig(env);
  const failed = startPlatform(config, { env: { ...env, LOG_LEVEL: 'shout' }, report: (line) => lines.push(line) });
  await expect(failed).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('LOG_LEVEL') as string,
  });
  await gone([await pidOf('temporal/temporal-guard.pid'), await pidOf('postgres/postgres-guard.pid')]);
});

const pidOf = async (file: string) => Number.parseInt(await readFile(join(home.path, file), 'utf8'), 10);
