import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tokenFor } from '../../cli/session.ts';
import { loadConfig } from '../../lib/config.ts';
import { claimPort } from '../../lib/ports.ts';
import { ANY_PORT, createApi } from '../end-to-end/platform.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';

const CLI = join(import.meta.dirname, '..', '..', 'cli', 'anneal.ts');
// A service on a busy machine may not answer a command in time. Commands may log in: 30 times a minute.
const SOON = { timeout: 120_000, interval: 5_000 };
let home: TemporaryFolder;
let env: NodeJS.ProcessEnv;
let up: ChildProcess;
let ended: Promise<unknown[]>;
let api: ReturnType<typeof createApi>;

beforeAll(async () => {
  home = await temporaryFolder('commands');
  const ports = Object.keys(ANY_PORT).filter((name) => name.endsWith('_PORT'));
  const claimed = await Promise.all(ports.map(async (name) => [name, String(await claimPort(0, name))] as const));
  const { PATH } = process.env;
  env = { ...ANY_PORT, PATH, HOME: process.env['HOME'], ...Object.fromEntries(claimed), ANNEAL_HOME: home.path };
  up = spawn(process.execPath, ['--no-warnings', CLI, 'up'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  ended = once(up, 'exit');
  for await (const line of createInterface({ input: up.stdout! })) if (line.includes('Ctrl-C')) break;
  const url = `http://127.0.0.1:${env['API_PORT']}`;
  api = createApi(url, await tokenFor(loadConfig(env), url));
});
afterAll(async () => {
  up?.kill('SIGTERM');
  await ended;
  await home?.remove();
});

/** `anneal …` as a command of this platform. */
const anneal = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, ['--no-warnings', CLI, ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
const states = (out: string) =>
  Object.fromEntries(
    (JSON.parse(out) as { service: string; state: string }[]).map(({ service, state }) => [service, state]),
  );
const ALL = [
  'api',
  'serving',
  'worker-pipeline',
  'worker-training',
  'worker-monitoring',
  'postgres',
  'temporal',
  'artifacts',
];

test('before a model is deployed serving is not ready, and the commands say what is missing', async () => {
  await vi.waitFor(async () => {
    const health = await anneal('health');
    expect(health).toMatchObject({ code: 1, err: '' });
    expect(health.out).toMatch(/^serving +not ready +no endpoint has a model yet$/m);
  }, SOON);
  expect(await anneal('models', 'latest')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^anneal: no model is deployed yet; train one/) as string }); // prettier-ignore
  // Serving hears of the administrator some moments after the API.
  await vi.waitFor(async () => expect((await anneal('predict')).err).toContain('train a model first'), SOON);
  expect((await anneal('pipelines', '--json')).code).toBe(0);
  expect((await anneal('models', 'newest')).err).toContain('usage: anneal models');
});

test('after a training every service is ready, the model is listed and deployed, and a test prediction is answered', async () => {
  const dataset_version = await api.uploadSample('churn', 1_500);
  const id = await api.train({ pipeline: 'churn', dataset_version, overrides: { candidates: [{ algorithm: 'logistic_regression' }] } }); // prettier-ignore
  expect(await api.finished(id)).toMatchObject({ state: 'COMPLETED' });
  await vi.waitFor(async () => {
    const health = await anneal('health', '--json');
    expect(health.code).toBe(0);
    expect(states(health.out)).toEqual(Object.fromEntries(ALL.map((name) => [name, 'ready'])));
  }, SOON);
  expect((await anneal('pipelines')).out).toMatch(/^churn +1 +churned +10 +logistic_regression, gradient_boosting /m);
  expect((await anneal('models')).out).toMatch(
    new RegExp(`^churn +1 +production +logistic_regression +0\\.\\d{4} +passed +${id} `, 'm'),
  );
  expect((await anneal('models', 'latest', 'churn')).out).toMatch(
    /^model +models:\/churn\/1\nendpoint +churn, revision 1, since /,
  );
  const predicted = JSON.parse((await anneal('predict')).out) as Record<string, unknown>;
  expect(predicted).toMatchObject({ endpoint: 'churn', model: { name: 'churn', version: 1 } });
  const refused = await anneal('predict', 'churn', '--row', '{"account_age":"old"}');
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toMatch(/answered 422: .*account_age/);
});

test('logs are shown by service', async () => {
  await vi.waitFor(async () => expect((await anneal('logs', 'worker-training')).out).toContain('run_id='), SOON);
  expect((await anneal('logs', 'api', '--json')).out.split('\n')[0]).toMatch(/^\{.*"service":"api"/);
  expect((await anneal('logs', 'postgres')).out).toContain('database system is ready');
  expect((await anneal('logs', 'web')).err).toContain('worker-pipeline');
});

test('down ends `anneal up` in order; then every service is down, and a second time there is nothing to end', async () => {
  expect(await anneal('down')).toMatchObject({ code: 0, out: 'stopped\n' });
  expect(await ended).toEqual([0, null]);
  const health = await anneal('health', '--json');
  expect(health.code).toBe(1);
  expect(states(health.out)).toEqual(Object.fromEntries(ALL.slice(0, 5).map((name) => [name, 'down'])));
  expect((await anneal('down')).out).toBe(`nothing runs on ${home.path}\n`);
  expect((await anneal('pipelines')).err).toMatch(/^anneal: nothing answers at http:.*npm start/);
});
