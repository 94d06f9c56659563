import { beforeEach, expect, test } from 'vitest';
import type { ServingDeps } from '../../serving/app.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { createModelSlots, type ModelSlots } from '../../serving/model-slots.ts';
import { ratesOf } from '../auth/rates.ts';
import { createTestServing, exampleSlot, slotScoring } from './doubles.ts';
import { GOLDEN_ROWS, SIGNATURE } from './example-models.ts';

const ROW = GOLDEN_ROWS[0]!;
let slots: ModelSlots<ServedSlot>;
let calls: number[];

const slot = (endpoint: string, version: number): ServedSlot => {
  const { session } = exampleSlot(endpoint, version);
  return slotScoring(endpoint, version, (buffers, rows) => (calls.push(rows), session.probabilities(buffers, rows)));
};
function appWith(change: Partial<ServingDeps> = {}) {
  const { app } = createTestServing({ slots, ...change });
  const { request } = app;
  // Every request is somebody's, unless it says otherwise.
  app.request = (input, init = {}, ...rest) => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', 'Bearer tester');
    return request(input, { ...init, headers }, ...rest);
  };
  return app;
}
type App = ReturnType<typeof appWith>;
interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}
const answerOf = async (pending: Response | Promise<Response>): Promise<Answer> => {
  const response = await pending;
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
};
const post = (app: App, path: string, body: unknown) =>
  answerOf(app.request(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }));
const get = (app: App, path: string) => answerOf(app.request(path));

beforeEach(() => {
  calls = [];
  slots = createModelSlots<ServedSlot>(() => undefined);
  slots.swap('churn', slot('churn', 3));
});

test('one row is answered at the root, below /api/v1 and by endpoint', async () => {
  for (const path of [
    '/predict',
    '/api/v1/predict',
    '/api/v1/predict/',
    '/api/v1/predict/churn',
    '/api/v1/predict?endpoint=churn',
  ]) {
    const { status, body } = await post(
      appWith({ defaultSlot: () => (path.includes('churn') ? null : 'churn') }),
      path,
      ROW,
    );
    expect({ path, status, body }).toEqual({
      path,
      status: 200,
      body: {
        prediction_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        endpoint: 'churn',
        model: { name: 'churn', version: 3 },
        label: 'no',
        probability: Math.fround(0.3),
        decision: 'ACCEPT',
        threshold: 0.5,
      },
    });
  }
});

test('a batch is answered in order, scored at once, and gives every row an id', async () => {
  const rows = Array.from({ length: 300 }, (_, age) => ({ ...ROW, age }));
  for (const path of ['/api/v1/predict/batch', '/api/v1/predict/churn/batch']) {
    calls = [];
    const { body } = await post(appWith(), path, { rows });
    const predictions = body['predictions'] as { probability: number; prediction_id: string }[];
    expect(predictions.map(({ probability }) => probability)).toEqual(rows.map(({ age }) => Math.fround(age / 100)));
    expect(new Set(predictions.map((prediction) => prediction.prediction_id)).size).toBe(300);
    expect(calls).toEqual([300]);
  }
});

test('bad rows of a batch are refused with 422, each field by row and name', async () => {
  const { status, headers, body } = await post(appWith(), '/api/v1/predict/batch', {
    rows: [ROW, { ...ROW, age: 'x' }, { spend: 1 }, { ...ROW, colour: 'red' }],
  });
  expect(status).toBe(422);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(body['code']).toBe('INVALID');
  expect((body['errors'] as { path: string; rule: string }[]).map(({ path, rule }) => [path, rule])).toEqual([
    ['rows[1].age', 'type'],
    ['rows[2].age', 'required'],
    ['rows[3].colour', 'unknown_column'],
  ]);
  expect(calls).toEqual([]);
});

test.for<[string, unknown, string]>([
  ['no rows', {}, 'rows required'],
  ['rows that are no list', { rows: {} }, 'rows required'],
  ['an empty list', { rows: [] }, 'rows min_items'],
  ['too many rows', { rows: Array(301).fill({}) }, 'rows max_items'],
  ['another field', { rows: [ROW], extra: 1 }, 'extra unknown_field'],
])('a batch with %s is refused', async ([, batch, expected]) => {
  const { status, body } = await post(appWith(), '/api/v1/predict/batch', batch);
  const [error] = body['errors'] as { path: string; rule: string }[];
  expect([status, `${error!.path} ${error!.rule}`]).toEqual([422, expected]);
});

test('NaN and Infinity, as Python writes them, are refused by field; inside a text they stay what they are', async () => {
  for (const value of ['NaN', 'Infinity', '-Infinity', '1e999']) {
    const { status, body } = await post(appWith(), '/predict', `{"age": ${value}, "city": "a \\"NaN\\" b"}`);
    expect({ value, status }).toEqual({ value, status: 422 });
    expect(body['errors']).toContainEqual({ path: 'age', rule: 'finite', message: 'must be a finite number' });
  }
  expect(await post(appWith(), '/predict', '{"age": NaNs}')).toMatchObject({ status: 400 });
});

test('a body that is no JSON is 400, one that is too large 413, in chunks too', async () => {
  const app = appWith();
  expect(await post(app, '/predict', '{"age": 1')).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  expect(await post(app, '/predict', '')).toMatchObject({ status: 400 });
  const large = JSON.stringify({ ...ROW, plan: 'x'.repeat(20_000) });
  expect(await post(app, '/predict', large)).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
  const chunks = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let at = 0; at < large.length; at += 1000) controller.enqueue(Buffer.from(large.slice(at, at + 1000)));
      controller.close();
    },
  });
  const chunked = app.request('/predict', { method: 'POST', body: chunks, duplex: 'half' });
  expect((await chunked).status).toBe(413);
  expect(calls).toEqual([]);
});

test('an unknown endpoint is 404, one without a model 503 with Retry-After, and so is a missing default', async () => {
  const app = appWith();
  expect(await post(app, '/api/v1/predict/nobody', ROW)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  for (const { status, headers } of [
    await post(app, '/api/v1/predict/loading', ROW),
    await post(appWith({ defaultSlot: () => null }), '/predict', ROW),
    await get(appWith({ defaultSlot: () => null }), '/meta'),
    await get(appWith({ notReady: () => 'no endpoint has a model yet' }), '/readyz'),
  ]) {
    expect([status, headers.get('retry-after')]).toEqual([503, '2']);
  }
  expect(await get(app, '/no/such/route')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
});

test('a model that answers no number is an error, not an answer', async () => {
  const nan = slotScoring('churn', 4, (_, rows) => Promise.resolve(new Float32Array(rows).fill(NaN)));
  slots.swap('churn', nan);
  expect(await post(appWith(), '/predict', ROW)).toMatchObject({ status: 500, body: { code: 'MODEL_INVALID' } });
});

test('meta, lineage and models tell what answers', async () => {
  const app = appWith();
  slots.swap('battle', slot('battle', 1));
  expect((await get(app, '/meta')).body).toEqual({
    endpoint: 'churn',
    revision: 3,
    model: { name: 'churn', version: 3 },
    threshold: 0.5,
    commit: 'abc',
  });
  expect((await get(app, '/lineage')).body).toMatchObject({
    run_id: 'run-3',
    data: { dataset_version: 'ds_20260101T000000Z_aaaaaaaaaaaa', sha256: 'e'.repeat(64) },
    code: { commit: 'abc' },
    hyperparameters: { l2: 1 },
    metrics: { roc_auc: 0.8 },
    signature: SIGNATURE,
  });
  expect((await get(app, '/meta?endpoint=battle')).body).toMatchObject({ endpoint: 'battle' });
  const { models } = (await get(app, '/api/v1/predict/models')).body as { models: object[] };
  expect(models).toMatchObject([
    { endpoint: 'battle', default: false },
    { endpoint: 'churn', default: true, input_example: ROW },
  ]);
});

test('the documentation describes the features of what is loaded, and works offline', async () => {
  const app = appWith();
  const { paths } = (await get(app, '/openapi.json')).body as { paths: Record<string, unknown> };
  expect(paths['/api/v1/predict/churn']).toMatchObject({
    post: {
      requestBody: {
        content: {
          'application/json': {
            example: ROW,
            schema: {
              additionalProperties: false,
              required: ['age'],
              properties: { age: { type: 'number' }, plan: { type: ['string', 'null'] } },
            },
          },
        },
      },
    },
  });
  expect(Object.keys(paths)).toContain('/api/v1/predict/churn/batch');
  const page = await (await app.request('/docs')).text();
  expect(page).not.toMatch(/https?:/);
  const assets = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, asset]) => `/${asset}`);
  expect(assets).toHaveLength(3);
  for (const asset of assets) expect((await app.request(asset)).status).toBe(200);
});

test('health names the model that answers at the root, and being alive needs no model', async () => {
  for (const path of ['/health', '/api/v1/predict/health']) {
    expect(await get(appWith(), path)).toMatchObject({
      status: 200,
      body: { status: 'ok', model_uri: 'models:/churn@production' },
    });
    const starting = await get(appWith({ notReady: () => 'draining' }), path);
    expect(starting).toMatchObject({
      status: 503,
      body: { reason: 'draining', model_uri: 'models:/churn@production' },
    });
  }
  expect((await get(appWith({ notReady: () => 'draining' }), '/livez')).status).toBe(200);
});

test('boom fails on purpose when it is enabled, says nothing of why, and is no route otherwise', async () => {
  expect((await get(appWith(), '/boom')).status).toBe(404);
  const { status, body } = await get(appWith({ enableBoom: true }), '/boom');
  expect([status, body['code']]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(body)).not.toContain('asked for');
});

test('the request id is kept or made, and is in the answer and the problem', async () => {
  const app = appWith();
  const named = await answerOf(app.request('/boom', { headers: { 'x-request-id': 'abc-1' } }));
  expect([named.headers.get('x-request-id'), named.body['request_id']]).toEqual(['abc-1', 'abc-1']);
  const strange = await answerOf(app.request('/boom', { headers: { 'x-request-id': 'a b"c' } }));
  expect(strange.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a batch costs a point for every ten rows begun, and what is over the rate is not scored', async () => {
  const app = appWith({ rates: ratesOf({ user: 6 }) });
  const rows = (count: number) => ({ rows: Array.from({ length: count }, () => ROW) });
  expect((await post(app, '/predict', ROW)).headers.get('ratelimit')).toMatch(/^"general";r=5;/);
  expect((await post(app, '/api/v1/predict/batch', rows(21))).headers.get('ratelimit')).toMatch(/^"general";r=2;/);
  calls = [];
  const refused = await post(app, '/api/v1/predict/batch', rows(40));
  expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
  expect(refused.headers.get('retry-after')).toMatch(/^(59|60)$/);
  expect(calls).toEqual([]);
  expect((await post(app, '/predict', ROW)).status).toBe(200);
  expect((await get(app, '/meta')).status).toBe(429);
  expect((await get(app, '/health')).status).toBe(200);
});

test('metrics count by endpoint and version, and callers cannot add labels', async () => {
  const app = appWith();
  await post(app, '/predict', ROW);
  await post(app, '/api/v1/predict/batch', { rows: [ROW, ROW] });
  await post(app, '/predict', {});
  await post(app, '/api/v1/predict/made-up', ROW);
  const text = await (await app.request('/metrics')).text();
  expect(text).toContain('anneal_prediction_requests_total{endpoint="churn",version="3",status="200"} 2');
  expect(text).toContain('anneal_predictions_total{endpoint="churn",version="3"} 3');
  expect(text).toContain('anneal_prediction_errors_total{endpoint="churn",version="3",code="INVALID"} 1');
  expect(text).toContain('anneal_prediction_errors_total{endpoint="none",version="none",code="NOT_FOUND"} 1');
  expect(text).toContain('anneal_model_info{endpoint="churn",version="3",model="churn",revision="3"} 1');
  expect(text).toContain('anneal_prediction_request_seconds_bucket{le="0.001",endpoint="churn",version="3"}');
  expect(text).not.toContain('made-up');
});
