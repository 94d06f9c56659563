import { beforeEach, expect, test } from 'vitest';
import type { ServingDeps } from '../../serving/app.ts';
import { principalOf } from '../auth/principals.ts';
import { ratesOf } from '../auth/rates.ts';
import { createTestLog, createTestServing } from './doubles.ts';
import { fp32, inferBody, lengthPrefixed, type TestTensor } from './open-inference/requests.ts';

const AGE: TestTensor = { name: 'age', datatype: 'FP32', shape: [2, 1], data: [30, 70] };
const BINARY_AGE: TestTensor = { ...AGE, data: fp32(30, 70) };
const PLAN: TestTensor = { name: 'plan', datatype: 'BYTES', shape: [2], data: lengthPrefixed('basic', '') };
const INFER = '/v2/models/churn/infer';

let log: ReturnType<typeof createTestLog>;
beforeEach(() => void (log = createTestLog()));
const appWith = (changes: Partial<ServingDeps> = {}) => createTestServing({ predictionLog: log, ...changes }).app;
type App = ReturnType<typeof appWith>;

const CALLER = { authorization: 'Bearer tester' };
const get = async (app: App, path: string) => {
  const response = await app.request(path, { headers: CALLER });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};
const infer = (app: App, path: string, tensors: readonly TestTensor[], more?: object) => {
  const { bytes, headerLength } = inferBody(tensors, more);
  const headers = { ...CALLER, ...(headerLength && { 'inference-header-content-length': headerLength }) };
  return app.request(path, { method: 'POST', headers, body: new Uint8Array(bytes) });
};
const jsonOf = async (pending: Response | Promise<Response>) => {
  const response = await pending;
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

test('the server and its models describe themselves as the protocol says', async () => {
  const app = appWith();
  expect((await get(app, '/v2')).body).toEqual({ name: 'anneal', version: '1', extensions: ['binary_tensor_data'] });
  expect((await get(app, '/v2/')).status).toBe(200);
  const metadata = {
    name: 'churn',
    versions: ['3'],
    platform: 'onnx_onnxv1',
    inputs: [
      { name: 'age', datatype: 'FP32', shape: [-1, 1] },
      { name: 'spend', datatype: 'FP32', shape: [-1, 1] },
      { name: 'plan', datatype: 'BYTES', shape: [-1, 1] },
    ],
    outputs: [
      { name: 'probability', datatype: 'FP32', shape: [-1] },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
      { name: 'decision', datatype: 'BYTES', shape: [-1] },
      { name: 'prediction_id', datatype: 'BYTES', shape: [-1] },
    ],
  };
  for (const path of ['/v2/models/churn', '/v2/models/churn/versions/3'])
    expect((await get(app, path)).body).toEqual(metadata);
  for (const path of ['/v2/models/churn/ready', '/v2/models/churn/versions/3/ready'])
    expect((await get(app, path)).body).toEqual({ name: 'churn', ready: true });
});

test('whoever asks whether the server lives or is ready needs no credential', async () => {
  const answer = async (changes: Partial<ServingDeps>, path: string) => {
    const response = await appWith(changes).request(path);
    return [response.status, await response.json(), response.headers.get('retry-after')];
  };
  const notReady = () => 'draining';
  expect(await answer({ notReady }, '/v2/health/live')).toEqual([200, { live: true }, null]);
  expect(await answer({}, '/v2/health/ready')).toEqual([200, { ready: true }, null]);
  expect(await answer({ notReady }, '/v2/health/ready')).toEqual([503, { ready: false, reason: 'draining' }, '2']);
});

test('JSON in, JSON out: the outputs, the version that answers, and the caller’s id', async () => {
  for (const path of [INFER, `${INFER}/`, '/v2/models/churn/versions/3/infer']) {
    const { status, headers, body } = await jsonOf(infer(appWith(), path, [AGE], { id: 'mine' }));
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(headers.has('inference-header-content-length')).toBe(false);
    expect(body).toEqual({
      model_name: 'churn',
      model_version: '3',
      id: 'mine',
      parameters: { model: 'churn', threshold: 0.5 },
      outputs: [
        { name: 'probability', datatype: 'FP32', shape: [2], data: [0.3, 0.7].map(Math.fround) },
        { name: 'label', datatype: 'BYTES', shape: [2], data: ['no', 'yes'] },
        { name: 'decision', datatype: 'BYTES', shape: [2], data: ['ACCEPT', 'REJECT'] },
        { name: 'prediction_id', datatype: 'BYTES', shape: [2], data: [expect.any(String), expect.any(String)] },
      ],
    });
  }
});

test('binary in, binary out, with the length of the JSON in the header, and secure headers as everywhere', async () => {
  const more = { outputs: [{ name: 'probability' }, { name: 'decision' }], parameters: { binary_data_output: true } };
  const response = await infer(appWith(), INFER, [PLAN, BINARY_AGE], more);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('x-request-id')).toBeTruthy();
  const bytes = Buffer.from(await response.arrayBuffer());
  const jsonBytes = Number(response.headers.get('inference-header-content-length'));
  const tensors = bytes.subarray(jsonBytes);
  expect(JSON.parse(bytes.subarray(0, jsonBytes).toString())).toMatchObject({ model_version: '3' });
  expect([tensors.readFloatLE(0), tensors.readFloatLE(4)]).toEqual([0.3, 0.7].map(Math.fround));
  expect(tensors.subarray(8)).toEqual(lengthPrefixed('ACCEPT', 'REJECT'));
});

test('every row is in the prediction log, by the id that was answered, with its features as they were sent', async () => {
  const { body } = await jsonOf(infer(appWith(), INFER, [PLAN, { ...AGE, datatype: 'FP64', data: [30.1, 70] }]));
  const [, , , ids] = body['outputs'] as { data: string[] }[];
  const logged = log.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(logged).toMatchObject([
    { id: ids!.data[0], endpoint: 'churn', version: 3, features: { age: 30.1, plan: 'basic' }, decision: 'ACCEPT' },
    { id: ids!.data[1], endpoint: 'churn', version: 3, features: { age: 70, plan: '' }, decision: 'REJECT' },
  ]);
});

test('a refusal is a problem like all others, with its text in `error` too, and leaves no trace in the log', async () => {
  const { status, headers, body } = await jsonOf(infer(appWith(), INFER, [{ ...AGE, data: [1, 'x'] }]));
  expect([status, headers.get('content-type')]).toEqual([422, 'application/problem+json']);
  expect(body).toEqual({
    type: 'about:blank',
    title: 'Unprocessable Content',
    status: 422,
    code: 'INVALID',
    detail: 'the request is not valid: rows[1].age must be a number',
    error: 'the request is not valid: rows[1].age must be a number',
    request_id: headers.get('x-request-id'),
    errors: [{ path: 'rows[1].age', rule: 'type', message: 'must be a number' }],
  });
  expect(log.lines).toEqual([]);
});

test('every refusal below /v2 says what is wrong in `error`', async () => {
  const app = appWith();
  const error = async (response: Response | Promise<Response>) => {
    const { status, body } = await jsonOf(response);
    return [status, body['error']];
  };
  const ask = (path: string) => app.request(path, { headers: CALLER });
  expect(await error(ask('/v2/models/nobody'))).toEqual([404, "endpoint 'nobody' does not exist"]);
  expect(await error(infer(app, '/v2/models/nobody/infer', [AGE]))).toEqual([404, "endpoint 'nobody' does not exist"]);
  for (const path of ['/v2/models/churn/versions/2', '/v2/models/churn/versions/2/ready'])
    expect(await error(ask(path))).toEqual([404, "endpoint 'churn' serves version 3, not 2"]);
  expect(await error(infer(app, '/v2/models/churn/versions/2/infer', [AGE]))).toEqual([
    404,
    "endpoint 'churn' serves version 3, not 2",
  ]);
  const loading = "no model is loaded for endpoint 'loading' yet";
  expect(await error(ask('/v2/models/loading/ready'))).toEqual([503, loading]);
  expect(await error(infer(app, '/v2/models/loading/infer', [AGE]))).toEqual([503, loading]);
  expect(await error(ask('/v2/models/churn/config'))).toEqual([404, "route '/v2/models/churn/config' does not exist"]);
  expect(await error(ask(INFER))).toEqual([405, `${INFER} takes POST`]);
  expect(await error(app.request('/v2/models/churn'))).toEqual([401, 'a valid access token or API key is required']);
  expect(await error(app.request(INFER, { method: 'POST', body: '{}' }))).toEqual([
    401,
    'a valid access token or API key is required',
  ]);
  const large = { ...PLAN, data: lengthPrefixed('x'.repeat(20_000), '') };
  expect(await error(infer(app, INFER, [AGE, large]))).toEqual([413, 'the body is larger than 20000 bytes']);
  const rows = { ...AGE, shape: [301], data: new Array(301).fill(1) };
  expect(await error(infer(app, INFER, [rows]))).toEqual([
    422,
    'the request is not valid: inputs[0].shape must have 1 to 300 rows',
  ]);
  const compressed = { ...CALLER, 'content-encoding': 'gzip' };
  expect(await error(app.request(INFER, { method: 'POST', headers: compressed, body: '{}' }))).toEqual([
    415,
    'send the body without a Content-Encoding',
  ]);
});

test('problems elsewhere have no `error`', async () => {
  expect((await get(appWith(), '/v2x')).body).not.toHaveProperty('error');
});

test('a key for other endpoints may neither look at a model nor infer', async () => {
  const apiKey = { id: 'k', name: 'ci', endpoints: ['fraud'] };
  const app = appWith({ authenticate: () => Promise.resolve(principalOf({ apiKey })) });
  for (const path of ['/v2/models/churn', '/v2/models/churn/ready']) expect((await get(app, path)).status).toBe(403);
  expect((await infer(app, INFER, [AGE])).status).toBe(403);
});

test('NaN, as Python’s JSON has it, is a missing value, and Infinity is refused', async () => {
  const body = (spend: string) =>
    `{"inputs": [{"name": "age", "datatype": "FP32", "shape": [1], "data": [30]},
      {"name": "spend", "datatype": "FP32", "shape": [1], "data": [${spend}]}]}`;
  const send = (spend: string) =>
    jsonOf(appWith().request(INFER, { method: 'POST', headers: CALLER, body: body(spend) }));
  expect((await send('NaN')).status).toBe(200);
  expect(JSON.parse(log.lines[0]!)).toMatchObject({ features: { age: 30, spend: null } });
  for (const value of ['Infinity', '-Infinity'])
    expect((await send(value)).body['error']).toBe('the request is not valid: rows[0].spend must be a finite number');
});

test('ten rows cost a point of the caller’s rate, and what is over it is not scored', async () => {
  const app = appWith({ rates: ratesOf({ user: 31 }) });
  const rows = { ...AGE, shape: [300], data: new Array(300).fill(1) };
  expect((await infer(app, INFER, [rows])).status).toBe(200);
  expect((await infer(app, INFER, [AGE])).status).toBe(200);
  const { status, body } = await jsonOf(infer(app, INFER, [AGE]));
  expect([status, typeof body['error']]).toEqual([429, 'string']);
  expect(log.lines).toHaveLength(302);
});
