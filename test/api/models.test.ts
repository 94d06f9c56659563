import { expect, test } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import type { EndpointReads } from '../../api/routes/endpoints.ts';
import type { ModelVersion } from '../../db/schema/models.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { notFound } from '../../lib/errors.ts';
import { exampleVersion } from '../db/examples.ts';
import { temporaryFolder } from '../platform.ts';
import { createTestApp, problemOf } from './doubles.ts';

const at = new Date('2026-01-01T00:00:00Z');
const onnx = Buffer.from('not really a graph');
const report = { metrics: { roc_auc: 0.8 }, gates: [] };

async function createModels() {
  const folder = await temporaryFolder('models');
  const store = createFolderStore(folder.path);
  const [model, evaluation] = [await store.put(onnx), await store.put(Buffer.from(JSON.stringify(report)))];
  const version: ModelVersion = {
    ...exampleVersion('churn', 'r1'),
    version: 3,
    importedBy: null,
    createdAt: at,
    onnxSha256: model.sha256,
    onnxBytes: model.bytes,
    evaluationSha256: evaluation.sha256,
  };
  const models = {
    get: (name: string) =>
      name === 'churn'
        ? Promise.resolve({ name, latestVersion: 3, createdAt: at })
        : Promise.reject(notFound('model', name)),
    aliases: () => Promise.resolve([{ alias: 'production', version: 3, updatedAt: at }]),
    getVersion: (name: string, number: number) =>
      number === 3 ? Promise.resolve(version) : Promise.reject(notFound('model version', `${name}/${number}`)),
    list: () => Promise.resolve({ items: [{ name: 'churn', latestVersion: 3, createdAt: at }], nextCursor: 'next' }),
    listVersions: () => Promise.resolve({ items: [version], nextCursor: null }),
  } as unknown as ApiDeps['models'];
  const api = createTestApp({ models, store });
  const get = async (path: string, method = 'GET') => await api.app.request(`/api/v1/models${path}`, { method });
  return { api, get, folder };
}

test('a model is read with its aliases, its versions and what a version comes from', async () => {
  const { get, folder } = await createModels();
  expect(await (await get('')).json()).toEqual({
    items: [{ name: 'churn', latest_version: 3, created_at: at.toISOString() }],
    next_cursor: 'next',
  });
  expect(await (await get('/churn')).json()).toMatchObject({ aliases: [{ alias: 'production', version: 3 }] });
  expect(await (await get('/churn/versions')).json()).toMatchObject({ items: [{ version: 3 }], next_cursor: null });
  expect(await (await get('/churn/versions/3')).json()).toMatchObject({
    uri: 'models:/churn/3',
    run_id: 'r1',
    metrics: { roc_auc: 0.8 },
    pipeline: { name: 'churn', version: 1 },
    dataset: { version: 'ds_20260101T000000Z_aaaaaaaaaaaa' },
  });
  expect(await (await get('/churn/versions/3/evaluation')).json()).toEqual(report);
  await folder.remove();
});

test('the ONNX file is downloaded with its hash, and nothing is left on disk', async () => {
  const { api, get, folder } = await createModels();
  const response = await get('/churn/versions/3/model.onnx');
  expect(response.headers.get('content-length')).toBe(String(onnx.length));
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="churn-3.onnx"');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(onnx);
  const head = await get('/churn/versions/3/model.onnx', 'HEAD');
  expect([head.status, head.headers.get('etag')]).toEqual([200, response.headers.get('etag')]);
  expect(await api.leftovers()).toEqual([]);
  await folder.remove();
});

test('unknown models and versions are 404, impossible ones 422', async () => {
  const { get, folder } = await createModels();
  for (const path of ['/nobody', '/churn/versions/4', '/churn/versions/4/evaluation', '/churn/versions/4/model.onnx']) {
    expect((await get(path)).status, path).toBe(404);
  }
  for (const path of ['/No', '/churn/versions/0', '/churn/versions/x', '/churn/versions/99999999999']) {
    const response = await get(path);
    expect([response.status, (await problemOf(response)).code], path).toEqual([422, 'INVALID']);
  }
  await folder.remove();
});

test('an endpoint is read with its revisions and the nodes that serve the current one', async () => {
  const revision = {
    endpointName: 'churn',
    revision: 2,
    modelName: 'churn',
    modelVersion: 3,
    state: 'active' as const,
    detail: null,
    runId: 'r1',
    traceparent: null,
    createdAt: at,
    activatedAt: at,
  };
  const summary = { name: 'churn', createdAt: at, current: revision };
  const node = {
    node: 'n1',
    endpointName: 'churn',
    revision: 2,
    state: 'serving' as const,
    detail: null,
    updatedAt: at,
  };
  const endpoints: EndpointReads = {
    list: () => Promise.resolve({ items: [summary, { ...summary, name: 'new', current: null }], nextCursor: null }),
    get: (name) => (name === 'churn' ? Promise.resolve(summary) : Promise.reject(notFound('endpoint', name))),
    revisions: () => Promise.resolve([revision]),
    nodeStates: () => Promise.resolve([node]),
  };
  const { app } = createTestApp({ endpoints });
  const get = async (path: string) => await app.request(`/api/v1/endpoints${path}`);
  expect(await (await get('')).json()).toMatchObject({ items: [{ current: { revision: 2 } }, { current: null }] });
  expect(await (await get('/churn')).json()).toMatchObject({
    current: { model: { uri: 'models:/churn/3' }, state: 'active' },
    revisions: [{ revision: 2, run_id: 'r1' }],
    nodes: [{ node: 'n1', state: 'serving' }],
  });
  expect((await get('/nobody')).status).toBe(404);
});
