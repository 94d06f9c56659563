import { Client, ScheduleNotFoundError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiDeps, createApp } from '../../api/app.ts';
import { createJobs } from '../../api/jobs.ts';
import { registerSearchAttributes } from '../../api/search-attributes.ts';
import { createSchedules } from '../../api/schedules.ts';
import { createTemporalJobs } from '../../api/temporal-jobs.ts';
import { createAuditLog } from '../../db/audit-log.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { createFileDoor } from '../../data/file-door.ts';
import { createLabelFileReader } from '../../data/label-files.ts';
import { createDatasetRepository } from '../../db/datasets.ts';
import { createAlertRepository } from '../../db/alerts.ts';
import { createDriftReportRepository } from '../../db/drift-reports.ts';
import { createRetrainingRepository } from '../../db/retrainings.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { createIdempotencyKeyRepository } from '../../db/idempotency-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createLabelRepository } from '../../db/labels.ts';
import { createModelRepository } from '../../db/models.ts';
import { createPipelineRepository } from '../../db/pipelines.ts';
import { createPerformanceRepository } from '../../db/performance.ts';
import { createPredictionRepository } from '../../db/predictions.ts';
import { createRealisedMetricsRepository } from '../../db/realised-metrics.ts';
import { createRunRepository } from '../../db/runs.ts';
import { createLogger } from '../../lib/log.ts';
import { connectTemporal } from '../../lib/temporal-connection.ts';
import { scheduleIdOf } from '../../workflows/messages.ts';
import { exampleDefinition } from '../db/examples.ts';
import { startTestPostgres, startTestTemporal, temporaryStore } from '../platform.ts';
import { principalOf } from '../auth/principals.ts';
import { ratesOf } from '../auth/rates.ts';
import { problemOf, sendAsSomebody } from './doubles.ts';

// The API on a real Postgres and a real Temporal server, without workers.
const closing: (() => unknown)[] = [];
let client: Client;
let database: Connection;
let app: ReturnType<typeof createApp>;
const log = createLogger({ service: 'test', level: 'silent' });
const source = { kind: 'object', key: 'churn.csv', format: 'csv' };

beforeAll(async () => {
  const postgres = await startTestPostgres();
  closing.push(postgres.stop);
  const temporal = await startTestTemporal();
  closing.push(temporal.stop);
  await migrate(postgres.url);
  database = connect(postgres.url);
  closing.push(database.close);
  client = await connectTemporal({ address: temporal.address, namespace: 'default' });
  closing.push(() => client.connection.close());
  const { store, folder } = await temporaryStore();
  closing.push(folder.remove);

  const { db } = database;
  const now = () => new Date();
  const runs = createRunRepository(db);
  const shared = {
    pipelines: createPipelineRepository(db),
    datasets: createDatasetRepository(db),
    store,
    sourceConnections: ['warehouse'],
    outgoing: { hosts: [], privateAddresses: false },
    schedules: createSchedules(client),
    runs,
    log,
    now,
  };
  app = createApp({
    authenticate: (user) => Promise.resolve(principalOf({ user })),
    auth: {} as ApiDeps['auth'],
    ...shared,
    jobs: createJobs({ ...shared, engine: createTemporalJobs(client) }),
    models: createModelRepository(db),
    endpoints: createEndpointRepository(db),
    predictions: createPredictionRepository(db),
    labels: createLabelRepository(db),
    readLabelFile: createLabelFileReader(),
    performance: createPerformanceRepository(db),
    driftReports: createDriftReportRepository(db),
    realisedMetrics: createRealisedMetricsRepository(db),
    addUpWindows: () => Promise.reject(new Error('no test double')),
    alerts: createAlertRepository(db),
    retrainings: createRetrainingRepository(db),
    idempotencyKeys: createIdempotencyKeyRepository(db),
    auditLog: createAuditLog(db),
    registry: new Registry(),
    checks: { postgres: () => db.execute('select 1'), temporal: () => client.workflowService.getSystemInfo({}) },
    events: { pollMs: 50, keepAliveMs: 1000, stopping: new AbortController().signal },
    workDirectory: folder.path,
    maxBodyBytes: 100_000,
    maxBatchBytes: 100_000,
    rates: ratesOf(),
    trustedProxies: [],
    corsOrigins: [],
    maxUploadBytes: 100_000,
    maxModelBytes: 1_000_000,
    checkModel: () => Promise.reject(new Error('no test double')),
    fileDoor: createFileDoor(),
  });
  sendAsSomebody(app);
  await put('churn', exampleDefinition('churn'));
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const put = (name: string, definition: unknown) => send('PUT', `/pipelines/${name}`, definition);
const train = (body: object, headers?: Record<string, string>) =>
  send('POST', '/train', { pipeline: 'churn', source, ...body }, headers);
const get = async (path: string) => (await (await app.request(`/api/v1${path}`)).json()) as Record<string, unknown>;

async function listed(query: string) {
  const ids: string[] = [];
  for await (const run of client.workflow.list({ query })) ids.push(run.workflowId);
  return ids;
}
const times = (count: number, send: () => Response | Promise<Response>) =>
  Promise.all(Array.from({ length: count }, async () => await send()));

test('a run id posted many times at once starts one workflow, which the Web UI lists by pipeline and model', async () => {
  const answers = await times(8, () => train({ run_id: 'same' }));
  expect(answers.map((answer) => answer.status)).toEqual(Array(8).fill(202));
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  const description = await client.workflow.getHandle('same').describe();
  expect(description).toMatchObject({ type: 'trainModel', taskQueue: 'pipeline-v1', status: { name: 'RUNNING' } });
  expect(description.memo).toMatchObject({ pipeline: 'churn', pipeline_version: 1, requested_by: 'tester' });
  const query = `AnnealPipeline = 'churn' and AnnealModel = 'churn' and AnnealStage = 'make_dataset'`;
  await expect.poll(() => listed(query), { timeout: 60_000 }).toContain('same');
  const other = await train({ run_id: 'same', version: 1 });
  expect(other.status).toBe(409);
});

test('of concurrent requests with one Idempotency-Key one starts, and a repeat gets its answer', async () => {
  const headers = { 'idempotency-key': 'once' };
  const answers = await times(5, () => train({}, headers));
  const accepted = answers.filter((answer) => answer.status === 202);
  expect(accepted.length).toBeGreaterThan(0);
  expect(answers.every((answer) => [202, 409].includes(answer.status))).toBe(true);
  const ids = await Promise.all(accepted.map(async (answer) => ((await answer.json()) as { job_id: string }).job_id));
  const again = (await (await train({}, headers)).json()) as { job_id: string };
  expect(new Set([...ids, again.job_id]).size).toBe(1);
});

test('without a worker the status is stale, cancelling is accepted, and a terminated run shows as FAILED', async () => {
  await train({ run_id: 'lonely' });
  expect(await get('/runs/lonely')).toMatchObject({
    state: 'PENDING',
    stale: true,
    pipeline: { name: 'churn', version: 1 },
  });
  const cancelled = await send('POST', '/runs/lonely/cancel', {});
  expect(cancelled.status).toBe(202);
  await client.workflow.getHandle('lonely').terminate('by a test');
  expect(await get('/runs/lonely')).toMatchObject({ state: 'FAILED', stale: false, error: { code: 'TERMINATED' } });
  expect(await get('/train/jobs?state=FAILED')).toMatchObject({ items: [{ job_id: 'lonely' }] });
  const over = await send('POST', '/runs/lonely/cancel', {});
  expect((await problemOf(over)).code).toBe('CONFLICT');
  expect((await app.request('/api/v1/runs/nobody')).status).toBe(404);
});

test('search attributes are registered where the server lacks them, and again without harm', async () => {
  await registerSearchAttributes(client, log);
  const { workflowService, operatorService } = client.connection;
  await workflowService.registerNamespace({
    namespace: 'fresh',
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  const fresh = new Client({ connection: client.connection, namespace: 'fresh' });
  // A new namespace reaches the server's caches within seconds.
  await expect
    .poll(
      async () => {
        await registerSearchAttributes(fresh, log);
        const { customAttributes } = await operatorService
          .listSearchAttributes({ namespace: 'fresh' })
          .catch(() => ({ customAttributes: {} }));
        return Object.keys(customAttributes ?? {});
      },
      { timeout: 60_000, interval: 500 },
    )
    .toEqual(expect.arrayContaining(['AnnealPipeline', 'AnnealStage', 'AnnealModel']));
});

test('a workflow that is no job cannot be read or cancelled as one', async () => {
  await client.workflow.start('somethingElse', { workflowId: 'foreign', taskQueue: 'elsewhere' });
  expect((await app.request('/api/v1/runs/foreign')).status).toBe(404);
  expect((await send('POST', '/runs/foreign/cancel', {})).status).toBe(404);
});

test('jobs page newest first without gaps or repeats', async () => {
  for (let i = 0; i < 5; i++)
    await send('POST', '/data/preprocess', { pipeline: 'churn', source, run_id: `page-${i}` });
  const seen: string[] = [];
  let cursor: string | null = '';
  do {
    const page: Record<string, unknown> = await get(`/data/jobs?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...(page.items as { job_id: string }[]).map((job) => job.job_id));
    cursor = page.next_cursor as string | null;
  } while (cursor !== null);
  expect(seen).toHaveLength(5);
  expect(new Set(seen)).toEqual(new Set(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']));
  const bad = await app.request('/api/v1/data/jobs?cursor=rubbish');
  expect([bad.status, (await problemOf(bad)).errors[0]?.path]).toEqual([404, 'cursor']);
});

test('a pipeline’s cron becomes a Temporal Schedule that is changed and removed with the definition', async () => {
  const definition = { ...exampleDefinition('nightly'), source };
  const describe = () => client.schedule.getHandle(scheduleIdOf('nightly')).describe();
  expect(
    (await put('nightly', { ...definition, schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' } })).status,
  ).toBe(201);
  const created = await describe();
  expect(created.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 3_600_000 });
  expect(created.spec.timezone).toBe('Europe/Berlin');
  expect(created.spec.calendars).toMatchObject([{ hour: [{ start: 3 }], minute: [{ start: 0 }] }]);
  expect(created.action.args).toMatchObject([{ pipeline: { name: 'nightly', version: 1 }, requested_by: 'schedule' }]);

  await client.schedule.getHandle(scheduleIdOf('nightly')).pause('by an operator');
  await put('nightly', { ...definition, schedule: { cron: '30 4 * * *', catchup_window_seconds: 60 } });
  const changed = await describe();
  expect(changed.policies.catchupWindow).toBe(60_000);
  expect(changed.spec.calendars).toMatchObject([{ hour: [{ start: 4 }], minute: [{ start: 30 }] }]);
  expect(changed.action.args).toMatchObject([{ pipeline: { version: 2 } }]);
  expect(changed.state.paused).toBe(true);

  await client.schedule.getHandle(scheduleIdOf('nightly')).trigger();
  await expect.poll(async () => (await describe()).info.recentActions.length, { timeout: 60_000 }).toBe(1);
  const { action } = (await describe()).info.recentActions[0]!;
  const scheduled = await get(`/runs/${action.workflow.workflowId}`);
  expect(scheduled).toMatchObject({
    state: 'PENDING',
    requested_by: 'schedule',
    pipeline: { name: 'nightly', version: 2 },
  });

  expect((await put('nightly', definition)).status).toBe(201);
  await expect(describe()).rejects.toBeInstanceOf(ScheduleNotFoundError);
  expect((await put('nightly', definition)).status).toBe(200);
});
