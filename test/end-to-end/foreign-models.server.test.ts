import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processorMs } from '../processor-time.ts';
import { churnRows } from '../../pipelines/churn.ts';
import { encode, filled, floats, foreignModel, node, SIGNATURE, slow } from '../ml/onnx/foreign-model.ts';
import { createUser, startTestPlatform, type Api, type TestPlatform } from './platform.ts';

const CUSTOMERS = [...churnRows(40, 3)].map(({ churned: _, ...features }) => features);
const QUICK = {
  candidates: [{ algorithm: 'gradient_boosting', trees: [20], max_leaves: [7] }],
  evaluation: { gates: [], max_regression: 1 },
};
const PROCESSOR_MS = 2000;
const ANSWER_MS = 60_000;
const GROWTH_BYTES = 100 * 2 ** 20;

let platform: TestPlatform;
let scientist: Api;
let deployer: Api;
beforeAll(async () => {
  platform = await startTestPlatform({ MAX_MODEL_BYTES: String(2 ** 20) });
  [scientist, deployer] = [
    await createUser(platform, 'sara', 'scientist'),
    await createUser(platform, 'dan', 'deployer'),
  ];
  for (const seed of [1, 2]) {
    const dataset_version = await platform.uploadSample('churn', 3000, seed);
    const run = await platform.finished(await platform.train({ pipeline: 'churn', dataset_version, overrides: QUICK }));
    expect(run.error?.message ?? run.state).toBe('COMPLETED');
  }
});
afterAll(() => platform.stop());

const versions = (name: string) => `/api/v1/models/${name}/versions`;
interface Version {
  readonly version: number;
  readonly signature: object;
}
interface Refused {
  readonly code: string;
  readonly errors: { path: string; rule: string; message: string }[];
}
async function bring<Body = Version>(
  name: string,
  bytes: Uint8Array,
  type = 'application/octet-stream',
  by = scientist,
) {
  const url = `${platform.urls.api}${versions(name)}`;
  const response = await by.send(url, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(bytes) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}
async function download(name: string, version: number): Promise<Uint8Array> {
  const response = await platform.send(`${platform.urls.api}${versions(name)}/${version}/model.onnx`);
  return new Uint8Array(await response.arrayBuffer());
}
async function deploy(name: string, version: number, body = {}) {
  const { status, body: job } = await deployer.post<{ job_id: string }>(`${versions(name)}/${version}/deploy`, body);
  expect(status).toBe(202);
  return await deployer.finished(job.job_id);
}
async function predict(endpoint: string, rows: readonly object[]) {
  const url = `${platform.urls.serving}/api/v1/predict/${endpoint}/batch`;
  const headers = { 'content-type': 'application/json' };
  const response = await platform.send(url, { method: 'POST', headers, body: JSON.stringify({ rows }) });
  expect(response.status).toBe(200);
  const body = (await response.json()) as { model: object; predictions: { probability: number; decision: string }[] };
  return {
    model: body.model,
    answers: body.predictions.map(({ probability, decision }) => ({ probability, decision })),
  };
}

test('a trained model is taken out, brought in under another name, deployed, and answers the same', async () => {
  const original = await predict('churn', CUSTOMERS);
  const file = await download('churn', 2);
  const brought = await bring('adopted', file);
  expect(brought).toMatchObject({
    status: 201,
    body: { version: 1, source: 'import', imported_by: 'sara', run_id: null, pipeline: null, gates_passed: null },
  });
  expect(brought.headers.get('location')).toBe(`${versions('adopted')}/1`);
  const { body: trained } = await platform.get<Version>(`${versions('churn')}/2`);
  expect(brought.body.signature).toEqual(trained.signature);
  expect((await bring('adopted', file)).status).toBe(200);
  expect(await platform.get(`${versions('adopted')}/1/evaluation`)).toMatchObject({ status: 404 });

  const job = await deploy('adopted', 1);
  expect(job).toMatchObject({
    state: 'COMPLETED',
    kind: 'deploy_model',
    pipeline: null,
    requested_by: 'dan',
    promoted: true,
    stages: [{ name: 'deployment', state: 'COMPLETED' }],
    model: { uri: 'models:/adopted/1' },
    endpoint: { name: 'adopted', revision: 1 },
  });
  const adopted = await predict('adopted', CUSTOMERS);
  expect(adopted.model).toEqual({ name: 'adopted', version: 1 });
  expect(adopted.answers).toEqual(original.answers);
  const lineage = await platform.send(`${platform.urls.serving}/lineage?endpoint=adopted`);
  expect(await lineage.json()).toMatchObject({ run_id: null, data: null, pipeline: null, code: null });
});

test('an endpoint is rolled back to an older version and forward again', async () => {
  const before = await predict('churn', CUSTOMERS);
  expect(before.model).toEqual({ name: 'churn', version: 2 });
  expect(await deploy('churn', 1)).toMatchObject({ state: 'COMPLETED', endpoint: { name: 'churn', revision: 3 } });
  const back = await predict('churn', CUSTOMERS);
  expect(back.model).toEqual({ name: 'churn', version: 1 });
  expect(back.answers).not.toEqual(before.answers);
  const alias = { alias: 'production', version: 1 };
  expect((await platform.get('/api/v1/models/churn')).body).toMatchObject({ aliases: [alias] });
  await deploy('churn', 2);
  expect(await predict('churn', CUSTOMERS)).toEqual(before);
});

test('a version that missed its gates is deployed only when asked for all the same', async () => {
  const evaluation = { gates: [{ metric: 'roc_auc', at_least: 0.999 }], max_regression: 1 };
  const dataset_version = await platform.uploadSample('churn', 3000, 3);
  const overrides = { ...QUICK, evaluation };
  const run = await platform.finished(await platform.train({ pipeline: 'churn', dataset_version, overrides }));
  expect(run).toMatchObject({ state: 'FAILED', error: { code: 'QUALITY_GATE' }, model: { version: 3 } });
  expect(await deployer.post(`${versions('churn')}/3/deploy`, {})).toMatchObject({
    status: 422,
    body: { code: 'QUALITY_GATE', errors: [{ path: 'override_gates' }] },
  });
  expect(await deploy('churn', 3, { override_gates: true })).toMatchObject({ state: 'COMPLETED' });
  expect((await predict('churn', CUSTOMERS)).model).toMatchObject({ version: 3 });
});

test('who makes versions does not decide what is served, and the other way round', async () => {
  expect((await bring('mine', encode(foreignModel()), 'application/octet-stream', deployer)).status).toBe(403);
  expect((await scientist.post(`${versions('churn')}/1/deploy`, {})).status).toBe(403);
});

test('a model made elsewhere answers rows by name, and the same key deploys it once', async () => {
  expect(await bring('elsewhere', encode(foreignModel()))).toMatchObject({ status: 201, body: { signature: SIGNATURE } });
  const url = `${platform.urls.api}${versions('elsewhere')}/1/deploy`;
  const send = async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' };
    const response = await deployer.send(url, { method: 'POST', headers, body: '{"endpoint":"new-one"}' });
    return ((await response.json()) as { job_id: string }).job_id;
  };
  const jobs = [await send(), await send()];
  expect(jobs[0]).toBe(jobs[1]);
  expect(await deployer.finished(jobs[0]!)).toMatchObject({ state: 'COMPLETED', endpoint: { name: 'new-one', revision: 1 } });
  const { answers } = await predict('new-one', [{ age: 30, plan: 'plus' }, { age: -30, plan: null }]);
  expect(answers.map(({ decision }) => decision)).toEqual(['REJECT', 'ACCEPT']);
  expect(answers[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(-0.3)), 5);
}); // prettier-ignore

const external = {
  ...floats('weight', [0.01]),
  rawData: undefined,
  externalData: [{ key: 'location', value: '/etc/passwd' }],
};
const outside = foreignModel([node('Identity', ['outside'], ['weight'])], [{ ...external, name: 'outside' }]);
test.each<[string, Uint8Array, string]>([
  ['with data outside', encode(outside), 'external_data'],
  ['with operators of another domain', encode(foreignModel([{ ...node('Gelu', ['age'], ['weight']), domain: 'com.microsoft' }])), 'operator_domain'],
  ['that loops for ever', encode(foreignModel([node('Loop', ['all'], ['weight'])])), 'operator'],
  ['that computes for minutes', encode(slow(300)), 'time'],
  ['that fills gigabytes', encode(filled([20_000, 20_000])), 'memory'],
  ['that asks for terabytes', encode(filled([2_000_000, 2_000_000])), 'scores'],
  ['of a million parts', Buffer.concat([Buffer.from([8, 10, 0x3a, 0xf0, 0xff, 0x3f]), Buffer.alloc(0xfffff0, 0)]), 'TOO_LARGE'],
  ['of nothing but noise', Buffer.alloc(900_000, 0x37), 'wire_type'],
  ['that is a web page', Buffer.from('<!doctype html><title>model</title>'), 'wire_type'],
])('a hostile file %s is refused at once and costs the API nothing', { retry: 2 }, async (_, bytes, rule) => {
  const pid = platform.pids()['api']!;
  const before = await residentBytes(pid);
  const [started, startedMs] = [performance.now(), processorMs(pid)];
  let most = before;
  const watch = setInterval(() => void residentBytes(pid).then((now) => (most = Math.max(most, now))), 50);
  const { status, body } = await bring<Refused>('hostile', bytes);
  clearInterval(watch);
  const tookMs = performance.now() - started;
  const spentMs = processorMs(pid) - startedMs;
  expect([status, body.errors[0]?.rule ?? body.code]).toEqual([rule === 'TOO_LARGE' ? 413 : 422, rule]);
  expect(JSON.stringify(body)).not.toMatch(/\/tmp|\.ts|onnxruntime_src|node_modules/);
  expect(spentMs).toBeLessThan(PROCESSOR_MS); // how long that takes is for the machine to say
  expect(tookMs).toBeLessThan(ANSWER_MS);
  expect(most - before).toBeLessThan(GROWTH_BYTES);
  expect((await platform.get(versions('hostile'))).status).toBe(404);
}); // prettier-ignore

test('a file of another type, or of none, is not read', async () => {
  expect((await bring('typed', encode(foreignModel()), 'text/plain')).status).toBe(415);
  expect((await bring('empty', new Uint8Array())).status).toBe(422);
});

const residentBytes = async (pid: number) =>
  1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]);
