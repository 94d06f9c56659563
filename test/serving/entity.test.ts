import { expect, test } from 'vitest';
import type { ErrorDetail } from '../../lib/errors.ts';
import { createRandom } from '../../ml/random.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import type { PredictionRecord } from '../../serving/prediction-log/record.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import { createRowBuffers, layoutOf } from '../../serving/scoring/row-buffers.ts';
import { compileRowWriter } from '../../serving/scoring/row-writer.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { createTestLog, createTestServing, exampleSlot } from './doubles.ts';
import { GOLDEN_ROWS, servedModel, SIGNATURE } from './example-models.ts';
import { inferBody, int64, lengthPrefixed, type TestTensor } from './open-inference/requests.ts';

const WITH_ENTITY = { ...SIGNATURE, entity: 'customer' };
const ROW = GOLDEN_ROWS[0]!;

/** Serves a model whose signature names the entity `customer`, or none. */
function serve(signature = WITH_ENTITY as typeof SIGNATURE) {
  const slots = createModelSlots<ServedSlot>(() => undefined);
  const model = { ...servedModel(3), signature };
  slots.swap('churn', exampleSlot('churn', 3, { model, validate: compileRowValidator(signature) }));
  const predictionLog = createTestLog();
  const { app } = createTestServing({ slots, predictionLog });
  const post = async (path: string, body: unknown) => {
    const init = { method: 'POST', headers: { authorization: 'Bearer tester' }, body: JSON.stringify(body) };
    const response = await app.request(path, init);
    return { status: response.status, body: (await response.json()) as { errors?: { path: string; rule: string }[] } };
  };
  const logged = () => predictionLog.lines.map((line) => JSON.parse(line) as PredictionRecord);
  return { app, post, logged };
}

test.each([['c-1'], [42], [null]])(
  'a row may say that it is about %j; it is logged with the row, and the answer is the same',
  async (customer) => {
    // prettier-ignore
    const { post, logged } = serve();
    const [plain, about] = [await post('/predict', ROW), await post('/predict', { ...ROW, customer })];
    expect([plain.status, about.status]).toEqual([200, 200]);
    expect(about.body).toMatchObject({ probability: Math.fround((ROW['age'] as number) / 100) });
    expect(logged().map(({ features, entity_column }) => [features, entity_column])).toEqual([
      [ROW, 'customer'],
      [{ ...ROW, customer }, 'customer'],
    ]);
  },
);

test('rows of a batch may each be about another', async () => {
  const { post, logged } = serve();
  const rows = [{ ...ROW, customer: 'c-1' }, ROW, { customer: 7, ...ROW }];
  expect((await post('/api/v1/predict/batch', { rows })).status).toBe(200);
  expect(logged().map(({ features }) => features)).toEqual(rows);
  expect(logged().every(({ entity_column }) => entity_column === 'customer')).toBe(true);
});

test.each([[''], ['x'.repeat(201)], ['a\0b'], [1.5], [2 ** 53], [true], [['c-1']], [{}]])(
  '%j is nobody: the field is named',
  async (customer) => {
    const { post, logged } = serve();
    const one = await post('/predict', { ...ROW, customer });
    const batch = await post('/api/v1/predict/batch', { rows: [ROW, { ...ROW, customer }] });
    expect([one.status, batch.status]).toEqual([422, 422]);
    expect(one.body.errors).toMatchObject([{ path: 'customer', rule: 'entity' }]);
    expect(batch.body.errors).toMatchObject([{ path: 'rows[1].customer', rule: 'entity' }]);
    expect(logged()).toEqual([]);
  },
);

test('without an entity in its signature a model takes none, and its log does not speak of it', async () => {
  const { post, logged } = serve(SIGNATURE);
  const refused = await post('/predict', { ...ROW, customer: 'c-1' });
  expect(refused.body.errors).toMatchObject([{ path: 'customer', rule: 'unknown_column' }]);
  await post('/predict', ROW);
  expect(logged()).toHaveLength(1);
  expect(logged()[0]).not.toHaveProperty('entity_column');
});

test('the document of the endpoint names the entity as something that may come along', async () => {
  const { app } = serve();
  const document = (await (
    await app.request('/openapi.json', { headers: { authorization: 'Bearer tester' } })
  ).json()) as {
    paths: Record<string, { post: { requestBody: { content: { 'application/json': { schema: { required: string[]; properties: Record<string, object> } } } } } }>; // prettier-ignore
  };
  const { schema } = document.paths['/api/v1/predict/churn']!.post.requestBody.content['application/json'];
  expect(schema.properties['customer']).toMatchObject({ type: ['string', 'integer', 'null'], maxLength: 200 });
  expect(schema.required).not.toContain('customer');
});

test('what the writer accepts the validator accepts, whatever the entity is named and holds', () => {
  const random = createRandom(5);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const values = ['c-1', 42, null, '', 1.5, true, [], 'a\0', Infinity];
  const seen = { accepted: 0, refused: 0 };
  for (const entity of ['customer', 'constructor', '"]; throw 1; //', '\u2028', 'toString']) {
    const signature = { ...SIGNATURE, entity };
    const [write, validate] = [compileRowWriter(signature), compileRowValidator(signature)];
    for (let round = 0; round < 200; round++) {
      const row: Record<string, unknown> = { ...ROW, ...(random() < 0.8 ? { [entity]: pick(values) } : {}) };
      if (random() < 0.1) row['other'] = 1;
      const errors: ErrorDetail[] = [];
      const complete = validate(row, '', errors);
      const isWritten = write(row, createRowBuffers(layoutOf(SIGNATURE.inputs), 1), 0);
      // An inherited name makes the writer doubt what is right; it never takes what is wrong.
      if (isWritten) expect(errors).toEqual([]);
      else if (Object.hasOwn(row, entity) || !(entity in {})) expect(errors).not.toEqual([]);
      expect(Object.keys(complete)).not.toContain(entity);
      seen[errors.length === 0 ? 'accepted' : 'refused']++;
    }
  }
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(200);
});

const AGE: TestTensor = { name: 'age', datatype: 'FP32', shape: [3], data: [30, 40, 50] };
const about = (datatype: string, data: readonly unknown[] | Buffer): TestTensor => ({
  ...{ name: 'customer', datatype, shape: [3], data },
});
const infer = async (app: ReturnType<typeof serve>['app'], tensors: readonly TestTensor[]) => {
  const { bytes, headerLength } = inferBody(tensors);
  const headers = {
    authorization: 'Bearer tester',
    ...(headerLength && { 'inference-header-content-length': headerLength }),
  };
  const response = await app.request('/v2/models/churn/infer', {
    method: 'POST',
    headers,
    body: new Uint8Array(bytes),
  });
  const body = (await response.json()) as {
    outputs?: { data: unknown[] }[];
    errors?: { path: string; rule: string }[];
  };
  return { status: response.status, body };
};

test.each([
  ['BYTES', lengthPrefixed('c-1', '', 'c-3'), ['c-1', null, 'c-3']],
  ['BYTES', ['c-1', null, 'c-3'], ['c-1', null, 'c-3']],
  ['INT64', int64(7n, -(2n ** 63n), 9n), [7, null, 9]],
  ['FP64', [7, null, 9], [7, null, 9]],
] as const)('in V2 a tensor of %s says whom rows are about; the answer is the same', async (datatype, data, logs) => {
  const { app, logged } = serve();
  const plain = await infer(app, [AGE]);
  const answer = await infer(app, [about(datatype, data), AGE]);
  expect([plain.status, answer.status]).toEqual([200, 200]);
  expect(answer.body.outputs![0]).toEqual(plain.body.outputs![0]);
  const [none, some] = [logged().slice(0, 3), logged().slice(3)];
  expect(none.map(({ features }) => features)).toEqual([30, 40, 50].map((age) => ({ age })));
  expect(some.map(({ features }) => features)).toEqual([30, 40, 50].map((age, row) => ({ age, customer: logs[row] })));
  expect(some.every(({ entity_column }) => entity_column === 'customer')).toBe(true);
});

test('in V2 as in rows, what is nobody is refused by its row, and logged nowhere', async () => {
  const { app, logged } = serve();
  const wrong = await infer(app, [about('BYTES', ['c-1', 'a\0b', 'x'.repeat(201)]), AGE]);
  expect(wrong.status).toBe(422);
  expect(wrong.body.errors!.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
    'rows[1].customer entity',
    'rows[2].customer entity',
  ]);
  const flag = await infer(app, [about('BOOL', [true, false, true]), AGE]);
  expect(flag.body.errors).toMatchObject([{ path: 'inputs[0].datatype', rule: 'datatype' }]);
  const nobody = await infer(serve(SIGNATURE).app, [about('BYTES', ['a', 'b', 'c']), AGE]);
  expect(nobody.body.errors).toMatchObject([{ path: 'inputs[0].name', rule: 'unknown_column' }]);
  expect(logged()).toEqual([]);
});
