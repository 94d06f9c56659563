import { testClient } from 'hono/testing';
import { expect, test } from 'vitest';
import { exampleDefinition, exampleStatus, exampleVersion } from '../db/examples.ts';
import { definePipeline } from '../../pipelines/definition.ts';
import type { ApiDeps } from '../../api/app.ts';
import { createTestApp, problemOf } from './doubles.ts';
import type { JobInput } from '../../workflows/messages.ts';

const source = { kind: 'object', key: 'churn.csv', format: 'csv' } as const;
const train = '/api/v1/train';

test('training answers 202 with a job id, a Location and where to follow it', async () => {
  const { app, post, engine, store } = createTestApp();
  const response = await post(train, { pipeline: 'churn', source }, { authorization: 'Bearer ada' });
  expect(response.status).toBe(202);
  const body = (await response.json()) as { job_id: string; status_url: string };
  expect(body).toEqual({
    job_id: body.job_id,
    state: 'PENDING',
    status_url: `/api/v1/runs/${body.job_id}`,
    events_url: `/api/v1/runs/${body.job_id}/events`,
  });
  expect(response.headers.get('location')).toBe(body.status_url);
  const { job } = engine.jobs.get(body.job_id)!;
  expect(job).toMatchObject({ kind: 'train_model', model: 'churn' });
  expect(job.input).toMatchObject({ pipeline: { name: 'churn', version: 1 }, source, requested_by: 'ada' });
  expect(JSON.parse(Buffer.from(await store.get((job.input as JobInput).definition)).toString())).toEqual(
    exampleDefinition('churn'),
  );
  const status = await app.request(`${train}/status/${body.job_id}`);
  expect(await status.json()).toMatchObject({ state: 'PENDING', stale: true, requested_by: 'ada' });
});

test('a trailing slash is the same route', async () => {
  const { post } = createTestApp();
  expect((await post(`${train}/`, { pipeline: 'churn', source })).status).toBe(202);
});

test('overrides replace settings of the pipeline in the stored definition and nothing else', async () => {
  const { post, engine, store } = createTestApp();
  const overrides = { promotion: 'manual', candidates: [{ algorithm: 'gradient_boosting', trees: [7] }] };
  await post(train, { pipeline: 'churn', source, overrides, run_id: 'r1' });
  const stored = Buffer.from(await store.get((engine.jobs.get('r1')!.job.input as JobInput).definition)).toString();
  const definition = JSON.parse(stored) as Record<string, unknown>;
  expect(definition).toMatchObject({ promotion: 'manual', candidates: [{ trees: [7], max_leaves: [31] }] });
  expect(definition.features).toEqual(exampleDefinition('churn').features);
});

test('the same run id and request start one job and get the same answer; another request is a conflict', async () => {
  const { post, engine } = createTestApp();
  const request = { pipeline: 'churn', source, run_id: 'nightly-1' };
  const first = await post(train, request);
  const second = await post(train, request);
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(await second.json()).toEqual(await first.json());
  expect(engine.jobs.size).toBe(1);
  const other = await post(train, { ...request, version: 1 });
  expect(other.status).toBe(409);
  expect(await problemOf(other)).toMatchObject({ code: 'CONFLICT', errors: [{ path: 'run_id' }] });
});

test('a run id that only the database still knows is a conflict, not a second run', async () => {
  const { post, engine, runs } = createTestApp();
  runs.rows.set('old', { status: exampleStatus('old', { state: 'COMPLETED' }), sequence: 9 });
  expect((await post(train, { pipeline: 'churn', source, run_id: 'old' })).status).toBe(409);
  expect(engine.jobs.size).toBe(0);
});

test.each([
  ['an unknown pipeline', { pipeline: 'nobody', source }, 404, 'pipeline'],
  ['an unknown version', { pipeline: 'churn', version: 9, source }, 404, 'pipeline'],
  [
    'an unknown dataset',
    { pipeline: 'churn', dataset_version: 'ds_20260101T000000Z_000000000000' },
    404,
    'dataset_version',
  ],
  ['a dataset and a source', { pipeline: 'churn', dataset_version: 'ds_x', source }, 422, 'source'],
  ['no source at all', { pipeline: 'churn' }, 422, 'source'],
  [
    'an unknown connection',
    { pipeline: 'churn', source: { kind: 'sql', connection: 'nobody', query: 'select 1' } },
    422,
    'source.connection',
  ],
  ['a key that leaves the store', { pipeline: 'churn', source: { ...source, key: '../secrets' } }, 422, 'source.key'],
  ['an unknown field', { pipeline: 'churn', source, colour: 'red' }, 422, 'colour'],
  ['a bad override', { pipeline: 'churn', source, overrides: { candidates: [] } }, 422, 'overrides.candidates'],
  ['a run id with a slash', { pipeline: 'churn', source, run_id: 'a/b' }, 422, 'run_id'],
  ['no pipeline', { source }, 422, 'pipeline'],
])('%s is refused naming the field, and nothing starts', async (_, body, status, path) => {
  const { post, engine } = createTestApp();
  const response = await post(train, body);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await problemOf(response);
  expect(problem.errors.map((error) => error.path)).toContain(path);
  expect(problem.request_id).toBe(response.headers.get('x-request-id'));
  expect(engine.jobs.size).toBe(0);
});

test('a pipeline with a source of its own needs none in the request', async () => {
  const { post, pipelines, engine } = createTestApp();
  const definition = definePipeline({
    ...exampleDefinition('own'),
    source: { kind: 'sql', connection: 'warehouse', query: 'select 1' },
  });
  await pipelines.saveVersion({ definition, definitionSha256: 'x', createdBy: 'test' });
  expect((await post(train, { pipeline: 'own', run_id: 'r' })).status).toBe(202);
  expect(engine.jobs.get('r')!.job.input).toMatchObject({ source: null });
});

test('one Idempotency-Key starts one job: same body same answer, other body 422, other caller another job', async () => {
  const { post, engine } = createTestApp();
  const request = { pipeline: 'churn', source };
  const headers = { 'idempotency-key': 'k-1' };
  const first = await post(train, request, headers);
  const again = await post(train, request, headers);
  expect(await again.json()).toEqual(await first.json());
  expect(again.status).toBe(202);
  expect(again.headers.get('location')).toBe(first.headers.get('location'));
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(engine.jobs.size).toBe(1);
  const other = await post(train, { ...request, version: 1 }, headers);
  expect(other.status).toBe(422);
  expect((await problemOf(other)).errors).toMatchObject([{ path: 'Idempotency-Key' }]);
  expect((await post(train, request, { ...headers, authorization: 'Bearer bob' })).status).toBe(202);
  expect(engine.jobs.size).toBe(2);
});

test('an Idempotency-Key in flight is a conflict, and one whose request failed may be used again', async () => {
  const { post, engine } = createTestApp();
  const headers = { 'idempotency-key': 'k-2' };
  expect((await post(train, { pipeline: 'nobody', source }, headers)).status).toBe(404);
  expect((await post(train, { pipeline: 'churn', source }, headers)).status).toBe(202);
  expect(engine.jobs.size).toBe(1);
  const gate = engine.holdStarts();
  const inFlight = post(train, { pipeline: 'churn', source }, { 'idempotency-key': 'k-3' });
  await gate.reached;
  const second = await post(train, { pipeline: 'churn', source }, { 'idempotency-key': 'k-3' });
  expect(second.status).toBe(409);
  gate.open();
  expect((await inFlight).status).toBe(202);
  expect(engine.jobs.size).toBe(2);
});

test('a key whose first answer was lost after the start finds the job it started', async () => {
  const { post, engine, deps } = createTestApp();
  const headers = { 'idempotency-key': 'k-4' };
  const first = await post(train, { pipeline: 'churn', source }, headers);
  const { job_id } = (await first.json()) as { job_id: string };
  const afterCrash = createTestApp({ jobs: deps.jobs });
  const second = await afterCrash.post(train, { pipeline: 'churn', source }, headers);
  expect(await second.json()).toMatchObject({ job_id });
  expect(engine.jobs.size).toBe(1);
});

test('the typed client reads a status', async () => {
  const { app, engine, post } = createTestApp();
  await post(train, { pipeline: 'churn', source, run_id: 'r1' });
  engine.tell('r1', exampleStatus('r1', { stage: 'training', progress: 40 }));
  const response = await testClient(app).api.v1.train.status[':job_id'].$get({ param: { job_id: 'r1' } });
  const job = await response.json();
  expect(job).toMatchObject({ stage: 'training', progress: 40, stale: false });
});

test('the best model is looked for in the metric’s direction', async () => {
  const asked: unknown[] = [];
  const best = (...args: unknown[]) => {
    asked.push(args);
    const version = exampleVersion('churn', 'r1', { roc_auc: 0.8, log_loss: 0.3 } as never);
    return Promise.resolve({ ...version, version: 3, createdAt: new Date(0) });
  };
  const { post } = createTestApp({ models: { best } as unknown as ApiDeps['models'] });
  const response = await post(`${train}/fetch-best-model`, { model: 'churn' });
  expect(await response.json()).toMatchObject({ metric: 'roc_auc', value: 0.8, uri: 'models:/churn/3' });
  await post(`${train}/fetch-best-model`, { model: 'churn', metric: 'log_loss' });
  expect(asked).toEqual([
    ['churn', 'roc_auc', 'max'],
    ['churn', 'log_loss', 'min'],
  ]);
});

test('metrics are listed by algorithm or by model name', async () => {
  const asked: string[] = [];
  const page = (kind: string) => (name: string) => {
    asked.push(`${kind} ${name}`);
    return Promise.resolve({ items: [], nextCursor: null });
  };
  const models = { byAlgorithm: page('algorithm'), listVersions: page('model') } as unknown as ApiDeps['models'];
  const { app } = createTestApp({ models });
  expect((await app.request(`${train}/metrics/gradient_boosting`)).status).toBe(200);
  expect((await app.request(`${train}/metrics/churn`)).status).toBe(200);
  expect(asked).toEqual(['algorithm gradient_boosting', 'model churn']);
});

test('the data jobs start under their own names', async () => {
  const { post, engine } = createTestApp();
  await post('/api/v1/data/preprocess', { pipeline: 'churn', source, run_id: 'd1' });
  await post('/api/v1/data/build-features', { pipeline: 'churn', source, run_id: 'd2' });
  expect([...engine.jobs.values()].map(({ job }) => job.kind)).toEqual(['preprocess_data', 'build_features']);
});

test('health is 503 naming what cannot be reached', async () => {
  const checks = { postgres: () => Promise.resolve(), temporal: () => Promise.reject(new Error('10.0.0.1 refused')) };
  const { app } = createTestApp({ checks });
  for (const path of ['/api/v1/train/health', '/api/v1/data/health', '/readyz']) {
    const response = await app.request(path);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not_ready', failing: ['temporal'] });
  }
  expect((await app.request('/livez')).status).toBe(200);
});
