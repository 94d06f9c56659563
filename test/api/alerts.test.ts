import { expect, test, vi } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import type { Alert, Silence } from '../../db/schema/alerts.ts';
import type { Retraining } from '../../db/schema/retrainings.ts';
import { notFound } from '../../lib/errors.ts';
import { createTestApp, problemOf } from './doubles.ts';

const at = new Date('2025-12-31T12:00:00.123Z');
const alert: Alert = {
  ...{ id: 3, endpoint: 'churn', kind: 'drift', severity: 'warning', state: 'firing', message: 'the data has drifted' },
  ...{ model: 'churn', version: 2, lastSequence: 8, count: 2, raisedAt: at, lastAt: at },
  ...{ acknowledgedBy: null, acknowledgedAt: null, resolvedAt: null },
};
const silence: Silence = {
  ...{ id: 5, endpoint: 'churn', kind: null, until: at, comment: 'moving', createdBy: 'ada', createdAt: at },
};
const retraining: Retraining = {
  ...{ id: 1, endpoint: 'churn', sequence: 8, model: 'churn', version: 2, cause: 'drift', detail: 'age drifted' },
  ...{ windows: [8, 7], state: 'started', reason: null, runId: 'retrain-churn-8', datasetVersion: null },
  ...{ labelledRows: null, newVersion: null, promoted: false, createdAt: at, endedAt: null },
};

function createApp() {
  const alerts = {
    list: vi.fn(() => Promise.resolve({ items: [alert], nextCursor: null })),
    get: (id: number) =>
      id === 3 ? Promise.resolve({ alert, deliveries: [] }) : Promise.reject(notFound('alert', String(id))),
    acknowledge: vi.fn((_: number, by: string) =>
      Promise.resolve({ ...alert, state: 'acknowledged' as const, acknowledgedBy: by, acknowledgedAt: at }),
    ),
    addSilence: vi.fn(() => Promise.resolve(silence)),
    listSilences: () => Promise.resolve({ items: [silence], nextCursor: null }),
    getSilence: () => Promise.resolve(silence),
    removeSilence: vi.fn(() => Promise.resolve()),
  };
  const retrainings = { list: vi.fn(() => Promise.resolve({ items: [retraining], nextCursor: null })) };
  const { app, ...rest } = createTestApp({ alerts: alerts as unknown as ApiDeps['alerts'], retrainings });
  const post = async (path: string, body?: unknown) =>
    await app.request(`/api/v1${path}`, {
      method: 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  return { ...rest, app, alerts, retrainings, post };
}

test('alerts are listed by endpoint, kind and state, and shown with who was told', async () => {
  const { app, alerts } = createApp();
  const response = await app.request('/api/v1/alerts?endpoint=churn&kind=drift&state=firing&limit=5');
  const shown = {
    ...{ id: 3, endpoint: 'churn', kind: 'drift', severity: 'warning', state: 'firing' },
    ...{ message: 'the data has drifted', model: { name: 'churn', version: 2 }, sequence: 8, count: 2 },
    ...{ raised_at: at.toISOString(), last_at: at.toISOString() },
    ...{ acknowledged_by: null, acknowledged_at: null, resolved_at: null },
  };
  expect(await response.json()).toEqual({ items: [shown], next_cursor: null });
  expect(alerts.list).toHaveBeenCalledWith({ endpoint: 'churn', kind: 'drift', state: 'firing', limit: 5 });
  expect(await (await app.request('/api/v1/alerts/3')).json()).toEqual({ ...shown, deliveries: [] });
  expect((await app.request('/api/v1/alerts/4')).status).toBe(404);
  for (const wrong of ['/alerts?kind=rain', '/alerts?state=open', '/alerts/0', '/alerts/99999999999', '/alerts/x'])
    expect((await app.request(`/api/v1${wrong}`)).status, wrong).toBe(422);
});

test('an alert is acknowledged by who asks', async () => {
  const { alerts, post } = createApp();
  const response = await post('/alerts/3/acknowledge');
  expect(response.status).toBe(200);
  const [[, by]] = alerts.acknowledge.mock.calls as [[number, string]];
  expect(await response.json()).toMatchObject({ state: 'acknowledged', acknowledged_by: by });
});

test('a silence has an end, which is not far away', async () => {
  const { alerts, app, post } = createApp();
  const created = await post('/silences', { endpoint: 'churn', until: '2026-01-02T01:00:00+01:00', comment: 'moving' });
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe('/api/v1/silences/5');
  expect(alerts.addSilence).toHaveBeenCalledWith(
    expect.objectContaining({ endpoint: 'churn', kind: null, until: new Date('2026-01-02T00:00:00Z') }),
  );
  for (const until of [
    '2026-01-01T00:00:00Z',
    '2025-06-01T00:00:00Z',
    '2026-04-01T00:00:01Z',
    '9999-01-01T00:00:00Z',
  ]) {
    const response = await post('/silences', { until });
    expect(response.status, until).toBe(422);
    expect((await problemOf(response)).errors, until).toMatchObject([{ path: 'until', rule: 'range' }]);
  }
  expect((await post('/silences', {})).status).toBe(422);
  expect((await post('/silences', { until: '2026-01-02T00:00:00Z', comment: '\0' })).status).toBe(422);
  expect((await app.request('/api/v1/silences/5', { method: 'DELETE' })).status).toBe(204);
  expect(alerts.removeSilence).toHaveBeenCalledWith(5);
});

test('retrainings are found by their run', async () => {
  const { app, retrainings } = createApp();
  const response = await app.request('/api/v1/retrainings?run_id=retrain-churn-8&state=started');
  expect(await response.json()).toMatchObject({
    items: [{ run_id: 'retrain-churn-8', sequence: 8, windows: [8, 7], model: { version: 2 }, ended_at: null }],
  });
  expect(retrainings.list).toHaveBeenCalledWith({ runId: 'retrain-churn-8', state: 'started', limit: 50 });
});
