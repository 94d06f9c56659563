import { expect, test, vi } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import type { PredictionLineage } from '../../db/predictions.ts';
import { notFound } from '../../lib/errors.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { exampleStatus, exampleVersion } from '../db/examples.ts';
import { createTestApp, problemOf } from './doubles.ts';

const at = new Date('2026-11-21T12:00:00.123Z');
const id = predictionId(at.getTime());
const lineage: PredictionLineage = {
  prediction: {
    ...{ id, createdAt: at, endpoint: 'churn', revision: 2, model: 'churn', version: 3 },
    ...{
      features: { age: 30, plan: null },
      probability: 0.25,
      label: 'no',
      decision: 'ACCEPT',
      latencyUs: 450,
      position: 1,
      entity: null,
    },
    ...{ traceId: null, requestId: 'r-1', caller: 'ada/ci' },
  },
  version: { ...exampleVersion('churn', 'run-1'), version: 3, importedBy: null, createdAt: at },
  revision: {
    ...{ endpointName: 'churn', revision: 2, modelName: 'churn', modelVersion: 3, state: 'active', detail: null },
    ...{ runId: 'run-2', traceparent: null, createdAt: at, activatedAt: at },
  },
  deployment: exampleStatus('run-2', { kind: 'deploy_model', requested_by: 'dora' }),
};

function createPredictions(found: PredictionLineage | null = lineage) {
  const list = vi.fn(() => Promise.resolve({ items: [lineage.prediction], nextCursor: 'next' }));
  const get = (wanted: string) => (found ? Promise.resolve(found) : Promise.reject(notFound('prediction', wanted)));
  const { app } = createTestApp({ predictions: { get, list } satisfies ApiDeps['predictions'] });
  return { list, request: async (path: string) => await app.request(`/api/v1/predictions${path}`) };
}

test('a prediction is read with all it came from', async () => {
  const response = await createPredictions().request(`/${id}`);
  expect(await response.json()).toEqual({
    id,
    created_at: '2026-11-21T12:00:00.123Z',
    ...{ endpoint: 'churn', revision: 2, model: { name: 'churn', version: 3, uri: 'models:/churn/3' } },
    ...{
      features: { age: 30, plan: null },
      entity: null,
      probability: 0.25,
      label: 'no',
      decision: 'ACCEPT',
      latency_us: 450,
    },
    ...{ caller: 'ada/ci', request_id: 'r-1', trace_id: null },
    lineage: {
      ...{ source: 'run', run_id: 'run-1', imported_by: null, onnx: { sha256: 'a'.repeat(64), bytes: 100 } },
      dataset: { version: 'ds_20260101T000000Z_aaaaaaaaaaaa', sha256: 'e'.repeat(64) },
      pipeline: { name: 'churn', version: 1, definition_sha256: 'f'.repeat(64) },
      code_commit: 'abc',
      deployment: {
        ...{ run_id: 'run-2', requested_by: 'dora', approved_by: 'dora', activated_at: at.toISOString() },
      },
    },
  });
});

test('what is not known is null, and only a release by hand has somebody who approved it', async () => {
  const lineageOf = async (changes: Partial<PredictionLineage>) => {
    const response = await createPredictions({ ...lineage, ...changes }).request(`/${id}`);
    return ((await response.json()) as { lineage: Record<string, unknown> | null }).lineage;
  };
  expect(await lineageOf({ version: null, revision: null, deployment: null })).toBeNull();
  expect(await lineageOf({ revision: null, deployment: null })).toMatchObject({ run_id: 'run-1', deployment: null });
  const automatic = await lineageOf({ deployment: exampleStatus('run-2') });
  expect(automatic).toMatchObject({ deployment: { requested_by: 'test', approved_by: null } });
  const forgotten = await lineageOf({ deployment: null });
  expect(forgotten).toMatchObject({ deployment: { run_id: 'run-2', requested_by: null } });
});

test('an unknown id is 404, one that is no UUIDv7 is 422', async () => {
  const { request } = createPredictions(null);
  expect((await request(`/${id}`)).status).toBe(404);
  for (const other of ['churn', '6c84fb90-12c4-11e1-840d-7b25c5ee775a', 'f47ac10b-58cc-4372-a567-0e02b2c3d479']) {
    const response = await request(`/${other}`);
    expect(response.status, other).toBe(422);
    expect((await problemOf(response)).errors).toMatchObject([{ path: 'id' }]);
  }
});

test('a list is filtered by endpoint, model, version and time', async () => {
  const { list, request } = createPredictions();
  const window = 'since=2026-11-21T00:00:00%2B01:00&until=2026-11-22T00:00:00Z';
  const response = await request(`?endpoint=churn&model=churn&version=3&${window}&limit=1&cursor=before`);
  expect(await response.json()).toMatchObject({ items: [{ id, endpoint: 'churn' }], next_cursor: 'next' });
  expect(list).toHaveBeenCalledWith({
    ...{ endpoint: 'churn', model: 'churn', version: 3, limit: 1, cursor: 'before' },
    ...{ since: new Date('2026-11-20T23:00:00Z'), until: new Date('2026-11-22T00:00:00Z') },
  });
  await request('?since=0000-01-01T00:00:00Z&until=9999-12-31T23:59:59-23:00');
  expect(list).toHaveBeenLastCalledWith(
    expect.objectContaining({ since: new Date(0), until: new Date('9999-12-31T00:00:00Z') }),
  );
  for (const wrong of ['endpoint=%27', 'version=0', 'since=yesterday', 'limit=1000'])
    expect((await request(`?${wrong}`)).status, wrong).toBe(422);
});
