import { afterAll, beforeAll, expect, test } from 'vitest';
import { churn, churnRows, DEARER_MARKET } from '../../pipelines/churn.ts';
import { startWebhookReceiver } from '../webhook-receiver.ts';
import { type RunView, startTestPlatform, type TestPlatform } from './platform.ts';

const SECRET = 'a secret of the receiver of more than 32 characters';
const POLL = { timeout: 120_000, interval: 300 };

let platform: TestPlatform;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  receiver = await startWebhookReceiver(SECRET, (count) => (count <= 2 ? 503 : 204));
  platform = await startTestPlatform({
    ...{ BUFFER_SIZE: '500', REPORT_FREQUENCY: '60' },
    ...{ ALERT_WEBHOOK_URL: receiver.url, ALERT_WEBHOOK_SECRET: SECRET },
    ...{ OUTGOING_HOSTS: receiver.host, OUTGOING_PRIVATE_ADDRESSES: 'true' },
  });
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  receiver?.stop();
});

interface Listed {
  readonly items: Record<string, unknown>[];
}
const items = async (path: string) => (await platform.get<Listed>(path)).body.items;

/** Sends a window of rows of another market, and then what became of them. */
async function sendWindow(seed: number): Promise<void> {
  const sent = [...churnRows(500, seed, DEARER_MARKET)];
  const rows = sent.map(({ churned: _, ...row }) => row);
  const response = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows }),
  });
  expect(response.status).toBe(200);
  const { predictions } = (await response.json()) as { predictions: { prediction_id: string }[] };
  const labels = predictions.map(({ prediction_id }, i) => ({ prediction_id, label: String(sent[i]!.churned) }));
  expect((await platform.post('/api/v1/labels', { labels })).status).toBe(200);
}

test(
  'drifted windows start one run on extended data, whose version takes over; cause and run name each other, and the webhook is told',
  { timeout: 300_000 },
  async () => {
    const pipeline = {
      ...churn,
      candidates: [{ algorithm: 'logistic_regression' }],
      evaluation: { gates: [{ metric: 'roc_auc', at_least: 0.5 }], max_regression: 0.5 },
      drift: { drift_share: 0.05 },
      retraining: { on_drift: { windows: 2 } },
    };
    expect((await platform.call('PUT', '/api/v1/pipelines/churn', pipeline)).status).toBeLessThan(300);
    const dataset = await platform.uploadSample('churn', 3000);
    const first = await platform.train({ pipeline: 'churn', dataset_version: dataset });
    expect(await platform.finished(first)).toMatchObject({ state: 'COMPLETED', promoted: true });

    await sendWindow(1);
    await expect
      .poll(() => items('/api/v1/retrainings?endpoint=churn'), POLL)
      .toMatchObject([{ sequence: 1, state: 'skipped', reason: 'hysteresis: 1 of 2 windows', run_id: null }]);
    // Labels that were faster than their predictions wait: those of the first window are to be there for the run.
    await expect
      .poll(() => items('/api/v1/endpoints/churn/performance'), POLL)
      .toMatchObject([{ sequence: 1, realised: { labelled: 500 } }]);
    await sendWindow(2);
    await expect
      .poll(() => items('/api/v1/retrainings?state=completed'), POLL)
      .toMatchObject([{ run_id: 'retrain-churn-2' }]);

    const [retraining] = await items('/api/v1/retrainings?run_id=retrain-churn-2');
    expect(retraining).toMatchObject({
      ...{ endpoint: 'churn', sequence: 2, model: { name: 'churn', version: 1 }, cause: 'drift', windows: [2, 1] },
      ...{ new_version: 2, promoted: true },
    });
    const run = await platform.run('retrain-churn-2');
    expect(run).toMatchObject({
      ...{ state: 'COMPLETED', promoted: true, requested_by: 'drift-policy', model: { uri: 'models:/churn/2' } },
      ...{ cause: { endpoint: 'churn', sequence: 2, kind: 'drift' }, endpoint: { revision: 2 } },
    } satisfies Partial<Record<keyof RunView, unknown>>);

    // Its data: what the version before was trained on, and every prediction that had a label by then.
    expect(retraining!.dataset_version).toBe(run.dataset_version);
    expect(retraining!.labelled_rows).toBeGreaterThanOrEqual(500);
    const { train, validation, test: held } = run.rows!;
    expect(train + validation + held).toBe(3000 + (retraining!.labelled_rows as number));

    const [alert] = await items('/api/v1/alerts?endpoint=churn&kind=drift');
    expect(alert).toMatchObject({ state: 'firing', severity: 'warning', sequence: 2, count: 2 });
    await expect.poll(() => receiver.received.filter(({ status }) => status === 204).length, POLL).toBeGreaterThan(0);
    expect(receiver.received.every(({ isSigned }) => isSigned)).toBe(true);
    const about = receiver.received.filter(({ body }) => body.alert.kind === 'drift');
    expect(about.at(-1)).toMatchObject({ status: 204, body: { event: 'firing', alert: { endpoint: 'churn' } } });
    // The first messages were refused, and nothing is told twice once it was understood.
    expect(new Set(about.map(({ body }) => body.delivery)).size).toBe(1);
    const path = `/api/v1/alerts/${String(alert!.id)}`;
    await expect
      .poll(async () => (await platform.get<{ deliveries: unknown[] }>(path)).body.deliveries, POLL)
      .toMatchObject([{ state: 'delivered', last_error: null }]);
    const acknowledged = await platform.post(`${path}/acknowledge`, {});
    expect(acknowledged.body).toMatchObject({ state: 'acknowledged', acknowledged_by: 'admin' });
  },
);
