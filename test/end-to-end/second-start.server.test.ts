import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tokenFor } from '../../cli/session.ts';
import { isAlive } from '../../lib/child-process.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { scoreCustomer } from './customer.ts';
import { ANY_PORT, createApi } from './platform.ts';
import { startAnneal, type AnnealProcess } from './processes.ts';

let home: TemporaryFolder;
const started: AnnealProcess[] = [];
beforeAll(async () => void (home = await temporaryFolder('home')));
afterAll(async () => {
  for (const process of started) process.kill('SIGKILL');
  await vi.waitFor(async () => expect((await childPids()).filter(isAlive)).toEqual([]), 60_000);
  await home?.remove();
});

/** `anneal up` as typed into a terminal. */
function startUp(): AnnealProcess {
  const process_ = startAnneal('up', { ...process.env, ...ANY_PORT, ANNEAL_HOME: home.path });
  started.push(process_);
  return process_;
}
async function up() {
  const process = startUp();
  const [, api] = await process.said(/API {2,}(http:\S+)/);
  const [, serving] = await process.said(/Predictions {2,}(http:\S+)[^]*Ctrl-C/);
  return {
    process,
    urls: { api: api! },
    serving: serving!,
    ...createApi(api!, await tokenFor(loadConfig({ ANNEAL_HOME: home.path }), api!)),
  };
}

/** Of the last start: the services, Postgres, and the guards of both servers. */
async function childPids(): Promise<number[]> {
  const services = (await readdir(join(home.path, 'run'))).map((name) => join('run', name));
  const files = [
    ...services,
    'postgres/cluster/postmaster.pid',
    'postgres/postgres-guard.pid',
    'temporal/temporal-guard.pid',
  ];
  const texts = await Promise.all(files.map((file) => readFile(join(home.path, file), 'utf8').catch(() => '')));
  return texts.map((text) => Number.parseInt(text, 10)).filter((pid) => pid > 0);
}

test('Ctrl-C ends everything with status 0; the next start names no password, has dataset, run and model, and predicts at once', async () => {
  const first = await up();
  const dataset = await first.uploadSample('churn', 2000);
  const run = await first.train({ pipeline: 'churn', dataset_version: dataset });
  const finished = await first.finished(run);
  expect(finished).toMatchObject({ state: 'COMPLETED', promoted: true });
  const answer = await scoreCustomer(first.serving, first.token);
  expect(answer.status).toBe(200);
  const children = await childPids();
  expect(children.filter(isAlive)).toHaveLength(8);

  first.process.interrupt();
  expect(await first.process.exited).toBe(0);
  expect(children.filter(isAlive)).toEqual([]);

  const second = await up();
  const password = (await readFile(join(home.path, 'secrets', 'admin-password'), 'utf8')).trim();
  expect(first.process.output()).toMatch(new RegExp(`Log in as +admin, password ${password} `));
  expect(second.process.output()).toMatch(/Log in as +admin, password in \S+admin-password/);
  expect(second.process.output()).not.toContain(password);
  expect((await createApi(second.urls.api, first.token).get('/api/v1/auth/me')).status).toBe(200);
  // It is up while the model is still being loaded.
  await vi.waitFor(async () => expect((await fetch(`${second.serving}/readyz`)).status).toBe(200), 60_000);
  const again = await scoreCustomer(second.serving, second.token);
  expect({ ...again.body, prediction_id: '' }).toEqual({ ...answer.body, prediction_id: '' });
  expect((await second.get(`/api/v1/datasets/${dataset}`)).status).toBe(200);
  expect((await second.get('/api/v1/models/churn/versions/1')).status).toBe(200);
  // Stopped at once after its end, the workflow may have to tell the database again.
  await vi.waitFor(async () => expect(await second.run(run)).toEqual({ ...finished, stale: false }), 60_000);
  second.process.interrupt();
  expect(await second.process.exited).toBe(0);
});

test('Ctrl-C while everything is just starting ends what was started, with status 0', async () => {
  const process = startUp();
  await process.said(/starting the services/);
  process.interrupt();
  expect(await process.exited).toBe(0);
  expect((await childPids()).filter(isAlive)).toEqual([]);
});
