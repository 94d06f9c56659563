import { expect, test } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import { notFound } from '../../lib/errors.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import { principalOf } from '../auth/principals.ts';
import { exampleStatus } from '../db/examples.ts';
import { createTestApp, problemOf, type TestApp } from './doubles.ts';

const ROUTE = '/api/v1/batch-predictions';
const source = { kind: 'object', key: 'rows.csv', format: 'csv' };
const KEY = { id: 'k', name: 'ci', endpoints: ['churn-eu'] };
/** By name, callers of fewer rights than an admin's. */
const CALLERS: Record<string, Parameters<typeof principalOf>[0]> = {
  reader: { user: 'ada', role: 'scientist', scopes: ['data'], apiKey: { ...KEY, endpoints: null } },
  limited: { user: 'ada', role: 'scientist', apiKey: KEY },
};

/** `models:/churn@production` is version 3 until `moved` says otherwise; the endpoint churn-eu serves version 2. */
function createBatchApp() {
  let production = 3;
  const models = {
    resolve: (uri: string) =>
      uri === 'models:/churn@production'
        ? Promise.resolve({ modelName: 'churn', version: production })
        : Promise.reject(notFound('model version', uri)),
  } as unknown as ApiDeps['models'];
  const endpoints = {
    get: (name: string) =>
      name === 'churn-eu'
        ? Promise.resolve({ name, current: { modelName: 'churn', modelVersion: 2 } })
        : name === 'new'
          ? Promise.resolve({ name, current: null })
          : Promise.reject(notFound('endpoint', name)),
  } as unknown as ApiDeps['endpoints'];
  const authenticate = (name: string) => Promise.resolve(principalOf(CALLERS[name] ?? { user: name }));
  return {
    ...createTestApp({ models, endpoints, authenticate }),
    move: (version: number) => void (production = version),
  };
}
const start = (api: TestApp, body: object, headers = {}) => api.post(ROUTE, { source, ...body }, headers);
const startedInput = (api: TestApp, id: string) => api.engine.jobs.get(id)?.job.input;
const batch = { rows: 10, rows_failed: 1, chunks: 1, chunks_scored: 1, output: null, manifest_sha256: null };
const tell = (api: TestApp, id: string, changes: Partial<JobStatus>) =>
  api.engine.tell(id, exampleStatus(id, { kind: 'batch_predict', ...changes }));

test('a batch is started with the version that the alias names then, and a repeat finds it wherever the alias points', async () => {
  const api = createBatchApp();
  const request = { model: 'models:/churn@production', run_id: 'b1' };
  const response = await start(api, request);
  expect(response.status).toBe(202);
  expect(response.headers.get('location')).toBe('/api/v1/runs/b1');
  expect(await response.json()).toEqual({
    job_id: 'b1',
    state: 'PENDING',
    status_url: '/api/v1/runs/b1',
    events_url: '/api/v1/runs/b1/events',
    result_url: '/api/v1/batch-predictions/b1',
  });
  api.move(4);
  expect((await start(api, request)).status).toBe(202);
  expect(startedInput(api, 'b1')).toEqual({ model: { name: 'churn', version: 3 }, source, requested_by: 'tester' });
  const other = await start(api, { endpoint: 'churn-eu', run_id: 'b1' });
  expect([other.status, (await problemOf(other)).code]).toEqual([409, 'CONFLICT']);
});

test('an endpoint stands for the version that it serves; the same Idempotency-Key is the same job', async () => {
  const api = createBatchApp();
  const ids: string[] = [];
  for (let repeat = 0; repeat < 2; repeat++) {
    const response = await start(api, { endpoint: 'churn-eu' }, { 'idempotency-key': 'one' });
    ids.push(((await response.json()) as { job_id: string }).job_id);
  }
  expect(ids[1]).toBe(ids[0]);
  expect(startedInput(api, ids[0]!)).toMatchObject({ model: { name: 'churn', version: 2 } });
});

test.each([
  [{}, 422, 'model'],
  [{ model: 'models:/churn@production', endpoint: 'churn-eu' }, 422, 'model'],
  [{ model: 'churn' }, 422, 'model'],
  [{ endpoint: 'churn-eu', dataset_version: 'ds_1' }, 422, 'dataset_version'],
  [{ endpoint: 'churn-eu', source: undefined }, 422, 'dataset_version'],
  [{ endpoint: 'churn-eu', source: { ...source, key: '../x' } }, 422, 'source.key'],
  [{ endpoint: 'new' }, 422, 'endpoint'],
  [{ endpoint: 'nobody' }, 404, 'endpoint'],
  [{ model: 'models:/churn/9' }, 404, 'model'],
  [{ endpoint: 'churn-eu', source: undefined, dataset_version: 'ds_1' }, 404, 'dataset_version'],
])('%j is refused by its field and starts nothing', async (body, status, path) => {
  const api = createBatchApp();
  const response = await start(api, body);
  expect(response.status).toBe(status);
  expect((await problemOf(response)).errors.map((error) => error.path)).toEqual([path]);
  expect(api.engine.jobs.size).toBe(0);
});

test('a key needs the scope predict, too, and one for some endpoints may use those alone', async () => {
  const api = createBatchApp();
  const as = (name: string) => ({ authorization: `Bearer ${name}` });
  expect((await start(api, { endpoint: 'churn-eu' }, as('reader'))).status).toBe(403);
  expect((await start(api, { endpoint: 'new' }, as('limited'))).status).toBe(403);
  expect((await start(api, { model: 'models:/churn@production' }, as('limited'))).status).toBe(403);
  expect((await start(api, { endpoint: 'churn-eu' }, as('limited'))).status).toBe(202);
});

test('there is no result before the end; then the file and the manifest are what the run says', async () => {
  const api = createBatchApp();
  await start(api, { endpoint: 'churn-eu', run_id: 'b1' });
  tell(api, 'b1', { state: 'RUNNING', batch });
  const running = await api.app.request(`${ROUTE}/b1/output`);
  expect([running.status, (await problemOf(running)).detail]).toEqual([
    409,
    "batch prediction 'b1' is RUNNING; only a COMPLETED one has a result",
  ]);
  expect((await api.app.request(`${ROUTE}/b1/manifest`)).status).toBe(409);

  const output = await api.store.put(Buffer.from('the predictions'));
  const manifest = await api.store.put(Buffer.from('{"rows":10}'));
  const made = { ...batch, output, manifest_sha256: manifest.sha256 };
  tell(api, 'b1', { state: 'COMPLETED', batch: made });
  expect(await (await api.app.request(`${ROUTE}/b1`)).json()).toMatchObject({
    rows: 10,
    rows_failed: 1,
    output: { ...output, url: `${ROUTE}/b1/output` },
    manifest: { sha256: manifest.sha256, url: `${ROUTE}/b1/manifest` },
  });
  const file = await api.app.request(`${ROUTE}/b1/output`);
  expect(Object.fromEntries(file.headers)).toMatchObject({
    'content-type': 'application/vnd.apache.parquet',
    'content-length': '15',
    'content-disposition': 'attachment; filename="b1.parquet"',
    etag: `"${output.sha256}"`,
  });
  expect(await file.text()).toBe('the predictions');
  expect(await (await api.app.request(`${ROUTE}/b1/manifest`)).json()).toEqual({ rows: 10 });
  expect(await api.leftovers()).toEqual([]);
});

test('a run of another kind is no batch prediction', async () => {
  const api = createBatchApp();
  await api.post('/api/v1/train', { pipeline: 'churn', source, run_id: 't1' });
  for (const path of ['', '/output', '/manifest']) {
    expect((await api.app.request(`${ROUTE}/t1${path}`)).status).toBe(404);
  }
});

test('a batch is paused and resumed; what cannot be is a conflict that says why', async () => {
  const api = createBatchApp();
  await start(api, { endpoint: 'churn-eu', run_id: 'b1' });
  await api.post('/api/v1/train', { pipeline: 'churn', source, run_id: 't1' });
  const signal = async (id: string, name: string) => {
    const response = await api.post(`/api/v1/runs/${id}/${name}`, {});
    return [response.status, ((await response.json()) as { detail?: string }).detail];
  };
  tell(api, 'b1', { state: 'RUNNING', stage: 'scoring', batch });
  expect(await signal('b1', 'pause')).toEqual([202, undefined]);
  expect(await signal('b1', 'resume')).toEqual([202, undefined]);
  expect(api.engine.signals).toEqual(['b1 pause', 'b1 resume']);
  expect(await signal('t1', 'pause')).toEqual([
    409,
    "job 't1' cannot be paused: only batch predictions can, this is train_model",
  ]);
  tell(api, 'b1', { state: 'RUNNING', stage: 'assembling', batch });
  expect(await signal('b1', 'pause')).toEqual([409, "job 'b1' is in its last step: nothing is left to hold back"]);
  tell(api, 'b1', { state: 'COMPLETED', batch });
  expect(await signal('b1', 'resume')).toEqual([409, "job 'b1' is COMPLETED already"]);
  expect((await signal('nobody', 'pause'))[0]).toBe(404);
  expect(api.engine.signals).toHaveLength(2);
});
