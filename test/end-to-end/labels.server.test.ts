import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realisedMetrics } from '../../ml/metrics/realised.ts';
import { churn, churnRows } from '../../pipelines/churn.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const ROWS = 500;

interface Predicted {
  readonly id: string;
  readonly customer: string;
  readonly probability: number;
  /** What came true. */
  label: boolean;
}
interface Realised extends Readonly<Record<string, unknown>> {
  readonly labelled: number;
  readonly restated_count: number;
}
interface Performance {
  readonly versions: readonly { readonly rows: number; readonly realised: Realised | null }[];
  readonly items: readonly { readonly sequence: number; readonly rows: number; readonly realised: Realised | null }[];
}

let platform: TestPlatform;
let threshold: number;
let predicted: Predicted[];

beforeAll(async () => {
  platform = await startTestPlatform({ BUFFER_SIZE: String(ROWS) });
  const definition = { ...churn, candidates: [{ algorithm: 'logistic_regression' }], entity: 'customer' };
  expect((await platform.call('PUT', '/api/v1/pipelines/churn', definition)).status).toBeLessThan(300);
  const dataset = await platform.uploadSample('churn', 3000);
  const run = await platform.train({ pipeline: 'churn', dataset_version: dataset });
  expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED', promoted: true });
  predicted = await predict();
});
afterAll(() => platform?.stop());

/** Has a window of customers scored. */
async function predict(): Promise<Predicted[]> {
  const rows = Array.from(churnRows(ROWS, 21), ({ churned, ...row }, index) => ({
    label: churned === true,
    row: { ...row, customer: `c-${index}` },
  }));
  const response = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows: rows.map(({ row }) => row) }),
  });
  const body = (await response.json()) as { predictions: { prediction_id: string; probability: number; threshold: number }[] }; // prettier-ignore
  expect(response.status, JSON.stringify(body).slice(0, 500)).toBe(200);
  threshold = body.predictions[0]!.threshold;
  return body.predictions.map(({ prediction_id: id, probability }, index) => ({
    ...{ id, probability, customer: rows[index]!.row.customer, label: rows[index]!.label },
  }));
}

/** The performance of the endpoint, as soon as its window is realised `times` times with so many labels. */
async function performance(labelled: number, times: number, timeoutMs = 90_000): Promise<Performance> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { body } = await platform.get<Performance>('/api/v1/endpoints/churn/performance');
    const realised = body.items[0]?.realised;
    if (realised?.labelled === labelled && realised.restated_count >= times) return body;
    if (Date.now() > deadline) throw new Error(`not restated: ${JSON.stringify(body)}`);
    await delay(300);
  }
}

/** What ml/metrics say of labels and probabilities; order does not matter to them. */
function expected(rows: readonly Predicted[]) {
  const target = Uint8Array.from(rows, ({ label }) => (label ? 1 : 0));
  const probabilities = Float32Array.from(rows, ({ probability }) => probability);
  const metrics = Object.entries(realisedMetrics(target, probabilities, threshold));
  return Object.fromEntries(
    metrics.flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, expect.closeTo(value, 9) as unknown]] : [],
    ),
  );
}

test('a label that comes before its prediction is shipped waits for it', async () => {
  const unknown = { prediction_id: predictionId(), label: true };
  const { status, body } = await platform.post('/api/v1/labels', unknown);
  expect([status, body]).toEqual([200, { matched: 0, pending: 1, corrected: 0, unchanged: 0 }]);
});

test('labels by prediction, by customer and from a file make the metrics of the window, equal to those of ml/metrics', async () => {
  const shipped = async () => (await platform.get(`/api/v1/predictions/${predicted.at(-1)!.id}`)).status;
  await expect.poll(shipped, { timeout: 60_000, interval: 100 }).toBe(200);
  const [first, second, third] = [predicted.slice(0, 80), predicted.slice(80, 140), predicted.slice(140)];
  const labels = first.map(({ id, label }) => ({ prediction_id: id, label }));
  expect((await platform.post('/api/v1/labels', { labels })).body).toMatchObject({ matched: 80, pending: 0 });
  const byCustomer = second.map(({ customer, label }) => ({ endpoint: 'churn', entity: customer, label }));
  expect((await platform.post('/api/v1/labels', { labels: byCustomer })).body).toMatchObject({ matched: 60 });
  const file = ['entity,label', ...third.map(({ customer, label }) => `${customer},${label ? 'True' : 'False'}`)];
  const uploaded = await platform.send(`${platform.urls.api}/api/v1/labels?endpoint=churn`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: file.join('\n'),
  });
  expect(await uploaded.json()).toEqual({ matched: ROWS - 140, pending: 0, corrected: 0, unchanged: 0 });
  const { items, versions } = await performance(ROWS, 1);
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({ sequence: 1, rows: ROWS, realised: expected(predicted) });
  expect(versions).toMatchObject([{ rows: ROWS, realised: expected(predicted) }]);
  expect(items[0]!.realised).toMatchObject({ target_drift: { drifted: false } });
});

test('a correction restates the window, a repeat does not', async () => {
  const before = (await performance(ROWS, 1)).items[0]!.realised!.restated_count;
  const [changed, same] = [predicted[0]!, predicted[1]!];
  await platform.post('/api/v1/labels', { prediction_id: same.id, label: same.label });
  changed.label = !changed.label;
  const { body } = await platform.post('/api/v1/labels', { prediction_id: changed.id, label: changed.label });
  expect(body).toEqual({ matched: 0, pending: 0, corrected: 1, unchanged: 0 });
  // Restating may be tried again, and count, before the correction is in it.
  const corrected = async () => (await performance(ROWS, before + 1)).items[0]!.realised;
  await expect.poll(corrected, { timeout: 90_000, interval: 300 }).toMatchObject(expected(predicted));
  const label = await platform.get<{ corrections: unknown[] }>(`/api/v1/labels/${changed.id}`);
  expect(label.body).toMatchObject({ label: String(changed.label), corrections: [{ label: String(!changed.label), reported_by: 'admin' }] }); // prettier-ignore
});

test('a label that is no class is refused, and the customer is no feature of the prediction', async () => {
  const { status, body } = await platform.post('/api/v1/labels', { prediction_id: predicted[0]!.id, label: 'maybe' });
  expect([status, body]).toMatchObject([422, { errors: [{ path: 'label', rule: 'class' }] }]);
  const prediction = await platform.get<{ entity: string; features: object }>(
    `/api/v1/predictions/${predicted[5]!.id}`,
  );
  expect(prediction.body.entity).toBe('c-5');
  expect(prediction.body.features).not.toHaveProperty('customer');
});
