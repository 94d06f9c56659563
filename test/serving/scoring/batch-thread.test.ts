import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PlatformError } from '../../../lib/errors.ts';
import type { PredictionCall } from '../../../serving/prediction-front.ts';
import { createCounterMemory } from '../../../serving/prediction-log/spool-counters.ts';
import { singleLines } from '../../../serving/prediction-log/batch-line.ts';
import { createBatchThread, type BatchThread } from '../../../serving/scoring/batch-thread.ts';
import { principalOf } from '../../auth/principals.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';
import { fp32, inferBody, type TestTensor } from '../open-inference/requests.ts';
import { exampleModel, GOLDEN_ROWS, probabilitiesOf, servedModel, SIGNATURE } from '../example-models.ts';

let folder: TemporaryFolder;
let thread: BatchThread;
let expected: number[];
const model = servedModel(4, { onnxSha256: 'a'.repeat(64) });
const source = { endpoint: 'churn', revision: 2, model };
const call: PredictionCall = {
  endpoint: 'churn',
  principal: principalOf(),
  caller: 'ada/ci',
  requestId: 'request-1',
  traceId: null,
  arrivedMs: performance.now(),
  charge: () => Promise.resolve(),
  header: () => undefined,
};
const free = () => Promise.resolve();
const bytesOf = (body: unknown) => new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const rowsOf = (body: unknown) => ({ bytes: bytesOf(body), tensors: null });
const answered = async (body: unknown) => {
  const { rows, answer } = await thread.answer(source, rowsOf(body), call, free);
  expect(answer.jsonBytes).toBeNull();
  return { rows, body: JSON.parse(new TextDecoder().decode(answer.body)) as Record<string, unknown> };
};

beforeAll(async () => {
  folder = await temporaryFolder('batches');
  const { onnx } = await exampleModel();
  expected = await probabilitiesOf(onnx);
  await writeFile(join(folder.path, model.onnxSha256), onnx);
  const counters = createCounterMemory();
  const spool = {
    folder: join(folder.path, 'spool'),
    maxBytes: 2 ** 24,
    whenFull: 'refuse',
    syncMs: 1000,
    counters,
  } as const;
  thread = createBatchThread({ folder: folder.path, maxRows: 20_000, logLevel: 'silent', spool });
});
afterAll(async () => {
  await thread.close();
  await folder.remove();
});

test('a large batch is answered in order, and every row of it is in the spool', async () => {
  const rows = Array.from({ length: 9_000 }, (_, index) => GOLDEN_ROWS[index % 3]!);
  const { body, rows: counted } = await answered({ rows });
  const predictions = body['predictions'] as { prediction_id: string; probability: number; label: string }[];
  expect(counted).toBe(9_000);
  expect(predictions.map(({ probability }) => probability)).toEqual(rows.map((_, index) => expected[index % 3]));
  expect(body).toMatchObject({ endpoint: 'churn', model: { name: model.modelName, version: 4 } });
  const lines = await spooled();
  expect(lines.map(({ id }) => id)).toEqual(predictions.map((prediction) => prediction.prediction_id));
  expect(lines[1]).toMatchObject({
    ...{
      endpoint: 'churn',
      revision: 2,
      model: model.modelName,
      version: 4,
      caller: 'ada/ci',
      request_id: 'request-1',
    },
    ...{ features: GOLDEN_ROWS[1], probability: expected[1], label: predictions[1]!.label, trace_id: null },
  });
});

async function spooled(): Promise<Record<string, unknown>[]> {
  const spool = join(folder.path, 'spool');
  const files = await Promise.all((await readdir(spool)).sort().map((name) => readFile(join(spool, name), 'utf8')));
  return files
    .join('')
    .trimEnd()
    .split('\n')
    .flatMap(singleLines)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('batches sent together each get their own answer', async () => {
  const sizes = [1, 500, 3, 2_000, 40];
  const answers = await Promise.all(
    sizes.map((size) => answered({ rows: Array.from({ length: size }, (_, index) => GOLDEN_ROWS[index % 3]!) })),
  );
  expect(answers.map(({ body }) => (body['predictions'] as unknown[]).length)).toEqual(sizes);
  expect(thread.depth()).toBe(0);
});

const ROWS = 300;
const AGES = Float32Array.from({ length: ROWS }, (_, row) => row / 4);
const tensors = (more: readonly TestTensor[] = []) => {
  const age = { name: 'age', datatype: 'FP32', shape: [ROWS, 1], data: fp32(...AGES) };
  const { bytes, headerLength } = inferBody([age, ...more], { parameters: { binary_data_output: true } });
  return { bytes: new Uint8Array(bytes), tensors: { modelName: 'churn', headerLength } };
};

test('tensors are answered as tensors, and every row of them is in the spool', async () => {
  const before = (await spooled()).length;
  const body = tensors();
  const slab = new Uint8Array(body.bytes.length + 100);
  slab.set(body.bytes, 50);
  const view = slab.subarray(50, 50 + body.bytes.length); // as a socket gives it
  const { rows, answer } = await thread.answer(source, { ...body, bytes: view }, call, free);
  expect(rows).toBe(ROWS);
  expect(slab.length).toBe(body.bytes.length + 100); // it was not given away
  const header = JSON.parse(new TextDecoder().decode(answer.body.subarray(0, answer.jsonBytes!))) as {
    outputs: unknown[];
  };
  expect(header).toMatchObject({ model_name: 'churn', model_version: '4' });
  const { onnx } = await exampleModel();
  const wanted = await probabilitiesOf(
    onnx,
    Array.from(AGES, (age) => ({ age })),
  );
  const bytes = answer.body.slice(answer.jsonBytes!, answer.jsonBytes! + 4 * ROWS);
  expect([...new Float32Array(bytes.buffer)]).toEqual(wanted);
  const lines = (await spooled()).slice(before);
  expect(lines.map(({ features, probability }) => ({ features, probability }))).toEqual(
    wanted.map((probability, row) => ({ features: { age: AGES[row] }, probability })),
  );
});

test('tensors that are wrong are refused as on the event loop', async () => {
  const unknown = { name: 'shoe', datatype: 'FP32', shape: [ROWS], data: fp32(...AGES) };
  await expect(thread.answer(source, tensors([unknown]), call, free)).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'inputs[1].name', rule: 'unknown_column' }],
  });
  const cut = { ...tensors(), tensors: { modelName: 'churn', headerLength: '5' } };
  await expect(thread.answer(source, cut, call, free)).rejects.toMatchObject({ status: 400 });
});

test.each([
  ['{"rows": [', { status: 400 }],
  [{ rows: [] }, { code: 'INVALID', details: [{ path: 'rows', rule: 'min_items' }] }],
  [
    { rows: [{ ...GOLDEN_ROWS[0], age: 'old' }] },
    { code: 'INVALID', details: [{ path: 'rows[0].age', rule: 'type' }] },
  ],
  [`{"rows": [${'['.repeat(70)}${']'.repeat(70)}]}`, { code: 'INVALID', details: [{ rule: 'max_depth' }] }],
])('%j is refused as on the event loop', async (body, error) => {
  await expect(answered(body)).rejects.toMatchObject(error);
});

test('a caller whose rate is used up gets no score, and nothing of the batch stays', async () => {
  const before = (await spooled()).length;
  const charge = () => Promise.reject(new PlatformError('RATE_LIMITED', 'enough'));
  const body = rowsOf({ rows: GOLDEN_ROWS });
  await expect(thread.answer(source, body, call, charge)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect((await spooled()).length).toBe(before);
});

test('a model whose file is gone is unavailable, and others go on', async () => {
  const gone = { ...source, revision: 3, model: servedModel(9, { onnxSha256: 'b'.repeat(64), signature: SIGNATURE }) };
  const refused = thread.answer(gone, rowsOf({ rows: GOLDEN_ROWS }), call, free);
  await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await answered({ rows: GOLDEN_ROWS })).rows).toBe(3);
});

test('more than may wait is refused at once', async () => {
  const large = () => ({ bytes: new Uint8Array(60 * 2 ** 20).fill(0x20), tensors: null });
  const results = await Promise.allSettled(
    [large(), large(), large()].map((body) => thread.answer(source, body, call, free)),
  );
  const codes = results.map((result) => (result as PromiseRejectedResult).reason as { code?: string; status?: number });
  expect(codes.map(({ code, status }) => code ?? status)).toEqual([400, 400, 'UNAVAILABLE']);
});
