import { expect, test, vi } from 'vitest';
import { PlatformError } from '../../../lib/errors.ts';
import { createModelSlots } from '../../../serving/model-slots.ts';
import type { Explainer, ExplainTask } from '../../../serving/explain/explainer.ts';
import type { ServedSlot } from '../../../serving/served-slot.ts';
import { createTestLog, createTestServing, exampleSlot } from '../doubles.ts';
import { GOLDEN_ROWS, servedModel } from '../example-models.ts';

const EXPLAINER = '9'.repeat(64);
const [ROW, OTHER] = GOLDEN_ROWS;
/** Contributes what the row's age is. */
const explanationOf = (age: unknown) => ({
  method: 'linear' as const,
  unit: 'log_odds' as const,
  base_value: -1,
  contributions: { age: age as number },
});
const answering = ({ rows }: ExplainTask) => Promise.resolve(rows.map(({ age }) => explanationOf(age)));

function setUp(explain: Explainer['explain'] = answering, change = {}) {
  const asked = vi.fn(explain);
  const slots = createModelSlots<ServedSlot>(() => undefined);
  slots.swap('churn', exampleSlot('churn', 3, { model: servedModel(3, { explainerSha256: EXPLAINER, ...change }) }));
  const predictionLog = createTestLog();
  const { app } = createTestServing({
    ...{ slots, explain: asked, predictionLog },
    limits: { maxBodyBytes: 1_000_000, maxBatchBytes: 1_000_000, maxRows: 300 },
  });
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: 'Bearer tester' };
    const response = await app.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const { status } = response;
    return { status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
  return { post, asked, lines: predictionLog.lines };
}
const aboutExplain = (rule: string, message: string) => ({
  status: 422,
  body: { code: 'INVALID', errors: [{ path: 'explain', rule, message: expect.stringContaining(message) as string }] },
});

test('one row comes with its explanation at every path, and is logged as without', async () => {
  for (const path of ['/predict', '/api/v1/predict', '/api/v1/predict/churn']) {
    const { post, asked, lines } = setUp();
    const plain = await post(path, ROW);
    expect(plain.body).not.toHaveProperty('explanation');
    expect(asked).not.toHaveBeenCalled();
    const { status, body } = await post(`${path}?explain=true`, ROW);
    const { prediction_id, ...rest } = body;
    expect(status).toBe(200);
    expect(rest).toEqual({ ...plain.body, prediction_id: undefined, explanation: explanationOf(30) });
    expect(asked).toHaveBeenCalledExactlyOnceWith({ explainer: EXPLAINER, rows: [ROW] });
    expect(JSON.parse(lines[1]!)).toMatchObject({ id: prediction_id, features: ROW, probability: rest['probability'] });
  }
});

test('rows of a batch each come with their own', async () => {
  const { post, lines } = setUp();
  const { status, body } = await post('/api/v1/predict/churn/batch?explain=true', { rows: [ROW, OTHER] });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    model: { name: 'churn', version: 3 },
    predictions: [
      { probability: Math.fround(0.3), explanation: explanationOf(30) },
      { probability: Math.fround(0.7), explanation: explanationOf(70) },
    ],
  });
  expect(lines).toHaveLength(2);
});

test('explain=false explains nothing, and other words are refused', async () => {
  const { post, asked } = setUp();
  expect((await post('/predict?explain=false', ROW)).body).not.toHaveProperty('explanation');
  for (const word of ['', '1', 'TRUE', 'yes'])
    expect(await post(`/predict?explain=${word}`, ROW)).toMatchObject(aboutExplain('boolean', 'must be true or false'));
  expect(asked).not.toHaveBeenCalled();
});

test('a model without an explainer says why; what it is asked without explanation it answers', async () => {
  const older = setUp(answering, { explainerSha256: null });
  expect(await older.post('/predict?explain=true', ROW)).toMatchObject(
    aboutExplain('no_explainer', 'model churn/3 cannot be explained: it was registered before explanations were kept'),
  );
  expect((await older.post('/predict', ROW)).status).toBe(200);
  const brought = setUp(answering, { explainerSha256: null, runId: null, importedBy: 'sara' });
  expect(await brought.post('/api/v1/predict/batch?explain=true', { rows: [ROW] })).toMatchObject(
    aboutExplain('no_explainer', 'it was brought as a file'),
  );
});

test('a model that an earlier release remembered has no explainer', async () => {
  const { post } = setUp(answering, { explainerSha256: undefined });
  expect(await post('/predict?explain=true', ROW)).toMatchObject(aboutExplain('no_explainer', 'cannot be explained'));
});

test('100 rows are explained at once, 101 are not, and neither is a body of more than 256 KiB', async () => {
  const { post, lines, asked } = setUp();
  const rows = Array.from({ length: 101 }, () => ROW);
  const path = '/api/v1/predict/batch?explain=true';
  expect(await post(path, { rows })).toMatchObject(aboutExplain('max_items', 'at most 100 rows'));
  expect(await post(path, { rows: [{ ...ROW, plan: 'x'.repeat(256 * 1024) }] })).toMatchObject({ status: 413 });
  expect(lines).toHaveLength(0);
  expect(asked).not.toHaveBeenCalled();
  expect((await post(path, { rows: rows.slice(1) })).status).toBe(200);
});

test('a wrong row is refused as without explanation, and is not explained', async () => {
  const { post, asked } = setUp();
  for (const [path, body] of [
    ['/predict', { ...ROW, age: 'old' }],
    ['/api/v1/predict/batch', { rows: [ROW, { ...ROW, age: 'old' }] }],
  ] as const) {
    const [plain, explained] = [await post(path, body), await post(`${path}?explain=true`, body)];
    expect(explained.status).toBe(422);
    expect(explained.body['errors']).toEqual(plain.body['errors']);
  }
  expect(asked).not.toHaveBeenCalled();
});

test('a prediction that cannot be explained now is not answered, and not logged either', async () => {
  const { post, lines } = setUp(() =>
    Promise.reject(new PlatformError('UNAVAILABLE', 'too many rows wait', { retryAfterSeconds: 1 })),
  );
  for (const [path, body] of [
    ['/predict', ROW],
    ['/api/v1/predict/batch', { rows: [ROW] }],
  ] as const) {
    const { status, headers } = await post(`${path}?explain=true`, body);
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  }
  expect(lines).toHaveLength(0);
});
