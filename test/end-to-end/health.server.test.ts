import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import type { TemporalServer } from '../../lib/temporal-server.ts';
import { startTestPostgres, startTestTemporal, temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { scoreCustomer } from './customer.ts';
import { createApi, logInAsAdmin, SECRETS } from './platform.ts';
import { startAnneal, type AnnealProcess } from './processes.ts';

// Each process by itself, as a container would run it: nobody watches over them, nobody starts them in order.
const COMMANDS = ['api', 'serving', 'worker pipeline', 'worker training', 'worker monitoring'] as const;
type Command = (typeof COMMANDS)[number];
interface Started {
  readonly process: AnnealProcess;
  readonly url: string;
}
type All = Readonly<Record<Command, Started>>;

const SOON = { timeout: 60_000, interval: 200 };

let postgres: EmbeddedPostgres;
let temporal: TemporalServer;
let home: TemporaryFolder;
let running: All;
let api: ReturnType<typeof createApi>;
const started: AnnealProcess[] = [];
beforeAll(async () => {
  [postgres, temporal, home] = await Promise.all([startTestPostgres(), startTestTemporal(), temporaryFolder('home')]);
  await startAll();
});
afterAll(async () => {
  for (const process of started) process.kill('SIGKILL');
  await Promise.all(started.map(({ exited }) => exited));
  await Promise.all([postgres?.stop(), temporal?.stop()]);
  await home?.remove();
});

async function startAll(commands: readonly Command[] = COMMANDS): Promise<void> {
  const ports = ['API', 'SERVING', 'WORKER_PIPELINE_METRICS', 'WORKER_TRAINING_METRICS', 'WORKER_MONITORING_METRICS'];
  const env = {
    ...process.env,
    ...SECRETS,
    ...Object.fromEntries(ports.map((name) => [`${name}_PORT`, '0'])),
    ANNEAL_HOME: home.path,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
  };
  const start = async (command: Command) => {
    // What is trained goes on until its worker's grace is over; nothing else takes longer than the machine lets it.
    const SHUTDOWN_GRACE_SECONDS = command === 'worker training' ? '3' : '60';
    const process = startAnneal(command, { ...env, SHUTDOWN_GRACE_SECONDS });
    started.push(process);
    const [, port] = await process.said(/"(?:health_)?port":(\d+)/);
    return [command, { process, url: `http://127.0.0.1:${port}` }] as const;
  };
  running = { ...running, ...Object.fromEntries(await Promise.all(commands.map(start))) };
  api = createApi(running.api.url, await logInAsAdmin(running.api.url));
}

const statusOf = async (command: Command, path: string) => (await fetch(`${running[command].url}${path}`)).status;

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
/** Prometheus text format 0.0.4, numbers as Go's ParseFloat takes them; throws at a line that is not in it. */
async function seriesOf(command: Command): Promise<Series[]> {
  const response = await fetch(`${running[command].url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  const typed = new Set(
    lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(line)?.[1] ?? []),
  );
  return lines.filter((line) => !/^# (HELP|TYPE) \S+ /.test(line)).map((line) => parseSeries(line, typed));
}

function parseSeries(line: string, typed: ReadonlySet<string>): Series {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (nan|[+-]inf|[-+.\de]+)$/i.exec(line);
  if (!match) throw new Error(`not in Prometheus' text format: ${line}`);
  const [, name, list = '', value] = match;
  const family = [name!, name!.replace(/_(bucket|sum|count)$/, '')];
  if (!family.some((known) => typed.has(known))) throw new Error(`no TYPE for ${name}`);
  const labels = Array.from(list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g), ([, key, text]) => [key, text]);
  return { name: name!, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) };
}

async function valueOf(command: Command, name: string, labels: Record<string, string>): Promise<number | undefined> {
  const wanted = Object.entries(labels);
  const series = await seriesOf(command);
  return series.find((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))?.value;
}

test.each(COMMANDS)('%s lives and says with every series who it is', async (command) => {
  expect(await statusOf(command, '/livez')).toBe(200);
  const series = await seriesOf(command);
  expect(series.find(({ name }) => name === 'process_resident_memory_bytes')!.value).toBeGreaterThan(1e6);
  expect(new Set(series.map(({ labels }) => labels.service))).toEqual(new Set([command.replace(' ', '-')]));
});

test('without a model everything is ready but serving, which says when to ask again', async () => {
  const ready = async () => {
    const statuses = await Promise.all(COMMANDS.map((command) => statusOf(command, '/readyz')));
    return Object.fromEntries(COMMANDS.map((command, index) => [command, statuses[index]]));
  };
  // A check that takes more than a second fails, once.
  await expect.poll(ready, SOON).toEqual({
    api: 200,
    serving: 503,
    'worker pipeline': 200,
    'worker training': 200,
    'worker monitoring': 200,
  });
  const refused = await fetch(`${running.serving.url}/readyz`);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  // Started before the API has made the administrator, serving hears of it a moment later.
  await expect.poll(() => scoreCustomer(running.serving.url, api.token), SOON).toMatchObject({ status: 503 });
});

test('with a model serving is ready, and each process counts what it has done', async () => {
  const run = await api.train({ pipeline: 'churn', dataset_version: await api.uploadSample('churn', 2000) });
  expect(await api.finished(run)).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(await statusOf('serving', '/readyz')).toBe(200);
  expect(await scoreCustomer(running.serving.url, api.token)).toMatchObject({ status: 200 });

  const model = { endpoint: 'churn', version: '1' };
  expect(await valueOf('serving', 'anneal_model_info', { ...model, model: 'churn', revision: '1' })).toBe(1);
  expect(await valueOf('serving', 'anneal_predictions_total', model)).toBe(1);
  const trained = { method: 'POST', route: '/api/v1/train', status: '202' };
  expect(await valueOf('api', 'anneal_api_request_seconds_count', trained)).toBe(1);
  const activities = { pipeline: 'makeDataset', training: 'trainCandidate', monitoring: 'buildReferenceProfile' };
  for (const [role, activity] of Object.entries(activities)) {
    const labels = { activity, outcome: 'completed' };
    const count = await valueOf(`worker ${role}` as Command, 'anneal_activity_duration_seconds_count', labels);
    expect(count, activity).toBe(activity === 'trainCandidate' ? 3 : 1);
  }
});

// Long enough to be stopped in the middle of.
const SLOW = {
  evaluation: { gates: [], max_regression: 1 },
  candidates: [
    {
      algorithm: 'gradient_boosting',
      trees: [1500],
      learning_rate: [0.005],
      max_leaves: [31],
      early_stopping_rounds: [1000],
    },
  ],
};

test('SIGTERM in mid-training ends every process with status 0; after the next start the run goes on and completes', async () => {
  const dataset = await api.uploadSample('churn', 20_000);
  const run = await api.train({ pipeline: 'churn', dataset_version: dataset, overrides: SLOW });
  await api.waitFor(run, ({ candidates }) => (candidates[0]?.progress ?? 0) >= 20);
  for (const command of COMMANDS) running[command].process.kill('SIGTERM');
  const statuses = await Promise.all(COMMANDS.map((command) => running[command].process.exited));
  expect(Object.fromEntries(COMMANDS.map((command, index) => [command, statuses[index]]))).toEqual(
    Object.fromEntries(COMMANDS.map((command) => [command, 0])),
  );

  // Without a worker that trains, the new version cannot be there before the old one is asked.
  await startAll(COMMANDS.filter((command) => command !== 'worker training'));
  await vi.waitFor(async () => expect(await statusOf('serving', '/readyz')).toBe(200), SOON);
  expect(await scoreCustomer(running.serving.url, api.token)).toMatchObject({
    status: 200,
    body: { model: { version: 1 } },
  });
  await startAll(['worker training']);
  const status = await api.waitFor(run, ({ finished_at }) => finished_at !== null);
  expect(status).toMatchObject({ state: 'COMPLETED', promoted: true, model: { version: 2 } });
});

test('while Postgres is away predictions go on, for callers who are known and for nobody else', async () => {
  await postgres.stop();
  await vi.waitFor(async () => expect(await statusOf('api', '/readyz')).toBe(503), SOON);
  // Longer than a process may go without asking who was shut out.
  for (let second = 0; second < 7; second++) {
    expect((await scoreCustomer(running.serving.url, api.token)).status).toBe(200);
    expect((await scoreCustomer(running.serving.url, `${api.token}x`)).status).toBe(401);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
});

test('with Postgres and Temporal away every process says that it lives, and those that need them that they are not ready', async () => {
  await Promise.all([postgres.stop(), temporal.stop()]);
  const needy = COMMANDS.filter((command) => command !== 'serving');
  const readiness = () => Promise.all(needy.map((command) => statusOf(command, '/readyz')));
  await vi.waitFor(async () => expect(await readiness()).toEqual(needy.map(() => 503)), SOON);
  expect(await Promise.all(COMMANDS.map((command) => statusOf(command, '/livez')))).toEqual(COMMANDS.map(() => 200));
  expect(await statusOf('serving', '/readyz')).toBe(200);
});
