import { expect, test, vi } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import type { VersionPerformance, WindowPerformance } from '../../db/performance.ts';
import { notFound } from '../../lib/errors.ts';
import { realisedMetrics } from '../../ml/metrics/realised.ts';
import { createTestApp } from './doubles.ts';

const at = new Date('2026-11-21T12:00:00.000Z');
const metrics = realisedMetrics(Uint8Array.from([1, 0]), Float32Array.from([0.75, 0.5]), 0.5);
const windows: WindowPerformance[] = [
  {
    window: {
      ...{ endpoint: 'churn', sequence: 7, model: 'churn', version: 3, afterPosition: 0, untilPosition: 9, rows: 9 },
      ...{ firstAt: at, lastAt: at, closedAt: at, finishedAt: at, labelsDropped: false },
    },
    realised: {
      endpoint: 'churn',
      sequence: 7,
      metrics,
      labelled: 2,
      targetDrift: null,
      restatedCount: 2,
      computedAt: at,
    },
    estimate: { accuracy: 0.9 },
  },
];
const versions: VersionPerformance[] = [
  {
    ...{ model: 'churn', version: 3, windows: 1, rows: 9, estimate: null },
    realised: {
      ...{ labelled: 2, positive_rate: 0.5, log_loss: 0.5, brier: 0.15, roc_auc: 1, pr_auc: 1 },
      ...{ accuracy: 0.5, precision: 0.5, recall: 1, f1: 2 / 3 },
    },
  },
  {
    ...{ model: 'churn', version: 2, windows: 1, rows: 5, realised: null, estimate: null },
  },
];

function createPerformance() {
  const asked = { windows: vi.fn(() => Promise.resolve({ items: windows, nextCursor: 'next' })), versions: vi.fn(() => Promise.resolve(versions)) }; // prettier-ignore
  const get = (name: string) => (name === 'churn' ? Promise.resolve({}) : Promise.reject(notFound('endpoint', name)));
  const { app } = createTestApp({ performance: asked, endpoints: { get } as unknown as ApiDeps['endpoints'] });
  return { asked, request: async (path: string) => await app.request(`/api/v1/endpoints/${path}`) };
}

test('the answer says what is realised and what is estimated, by window and by version', async () => {
  const response = await createPerformance().request('churn/performance');
  const shown: Record<string, unknown> = { ...metrics };
  delete shown['confusion'];
  const time = at.toISOString();
  expect(await response.json()).toEqual({
    endpoint: 'churn',
    versions: [
      {
        ...{ model: { name: 'churn', version: 3 }, windows: 1, rows: 9, estimated: null },
        realised: {
          ...{ labelled: 2, positive_rate: 0.5, log_loss: 0.5, brier: 0.15, roc_auc: 1, pr_auc: 1 },
          ...{ accuracy: 0.5, precision: 0.5, recall: 1, f1: 2 / 3 },
        },
      },
      { model: { name: 'churn', version: 2 }, windows: 1, rows: 5, realised: null, estimated: null },
    ],
    items: [
      {
        ...{ sequence: 7, model: { name: 'churn', version: 3 }, rows: 9 },
        ...{ first_at: time, last_at: time, closed_at: time },
        realised: { ...shown, restated_count: 2, computed_at: time, target_drift: null },
        estimated: { accuracy: 0.9 },
      },
    ],
    next_cursor: 'next',
  });
});

test('it may be asked for a version and a time, page by page; an unknown endpoint is 404', async () => {
  const { asked, request } = createPerformance();
  await request(
    'churn/performance?version=3&since=2026-11-21T00:00:00Z&until=2026-11-22T00:00:00Z&limit=1&cursor=before',
  );
  const filter = { endpoint: 'churn', version: 3, since: new Date('2026-11-21T00:00:00Z'), until: new Date('2026-11-22T00:00:00Z') }; // prettier-ignore
  expect(asked.versions).toHaveBeenCalledWith(filter);
  expect(asked.windows).toHaveBeenCalledWith({ ...filter, limit: 1, cursor: 'before' });
  expect((await request('nobody/performance')).status).toBe(404);
  expect((await request('churn/performance?version=0')).status).toBe(422);
});
