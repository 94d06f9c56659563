import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import { artifactKey } from '../../lib/artifact-store.ts';
import { notFound } from '../../lib/errors.ts';
import { principalOf } from '../auth/principals.ts';
import { exampleReport } from '../pages/example-report.ts';
import { createTestApp, problemOf } from './doubles.ts';
import { reportedWindow } from './example-reports.ts';

/** The API with window 3 of `loans`, whose files are in the store. */
async function setUp(changes: Partial<ApiDeps> = {}) {
  const lists: unknown[] = [];
  const files = { reportSha256: '', archiveSha256: '' };
  const api = createTestApp({
    driftReports: {
      list: (filter) => (lists.push(filter), Promise.resolve({ items: [reportedWindow(3, files)], nextCursor: null })),
      get: (endpoint, sequence) =>
        endpoint === 'loans' && sequence === 3
          ? Promise.resolve(reportedWindow(3, files))
          : Promise.reject(notFound('drift report', `${endpoint}/${sequence}`)),
    },
    ...changes,
  });
  files.reportSha256 = (await api.store.put(Buffer.from(JSON.stringify(exampleReport())))).sha256;
  files.archiveSha256 = (await api.store.put(Buffer.from('PAR1'))).sha256;
  return { ...api, lists };
}

test('reports are listed by what they are filtered for, each with its verdict and columns', async () => {
  const { app, lists } = await setUp();
  const query = 'endpoint=loans&model=loans&version=2&drifted=true&since=2026-11-01T00:00:00Z&limit=10';
  const answer = await app.request(`/api/v1/drift-reports?${query}`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    items: [
      {
        endpoint: 'loans',
        sequence: 3,
        version: 2,
        rows: 1000,
        judged: true,
        drifted: true,
        drifted_share: 1,
        columns: [{ column: 'income', method: 'ks', score: 0.001, threshold: 0.05, drifted: true }],
        closed_at: '2026-11-21T21:00:00.000Z',
        page_url: '/reports/loans/3',
      },
    ],
    next_cursor: null,
  });
  const since = new Date('2026-11-01T00:00:00Z');
  expect(lists).toMatchObject([{ endpoint: 'loans', model: 'loans', version: 2, drifted: true, since, limit: 10 }]);
  await app.request('/api/v1/drift-reports?drifted=false');
  expect(lists[1]).toEqual({ limit: 50, drifted: false, since: undefined, until: undefined });
  for (const bad of ['drifted=yes', 'version=0', 'since=yesterday', 'limit=0', 'endpoint=A'])
    expect([bad, (await app.request(`/api/v1/drift-reports?${bad}`)).status]).toEqual([bad, 422]);
});

test('one report is answered as it was stored, with its distributions', async () => {
  const { app } = await setUp();
  expect(await (await app.request('/api/v1/drift-reports/loans/3')).json()).toEqual({
    ...exampleReport(),
    realised: null,
  });
  const missing = await app.request('/api/v1/drift-reports/loans/4');
  expect([missing.status, (await problemOf(missing)).code]).toEqual([404, 'NOT_FOUND']);
  expect((await app.request('/api/v1/drift-reports/loans/zero')).status).toBe(422);
});

test('what the labels of the window say stands beside it as soon as there are some', async () => {
  const counts = { confusion: { tp: 1, fp: 0, tn: 1, fn: 0 }, labelled: 2, positive_rate: 0.5 };
  const metrics = {
    ...counts,
    roc_auc: 1,
    pr_auc: 1,
    log_loss: 0.1,
    brier: 0.01,
    accuracy: 1,
    precision: 1,
    recall: 1,
    f1: 1,
  };
  const computedAt = new Date('2026-11-22T00:00:00Z');
  const row = { endpoint: 'loans', sequence: 3, metrics, labelled: 2, targetDrift: null, restatedCount: 4, computedAt };
  const { app } = await setUp({ realisedMetrics: { get: () => Promise.resolve(row) } });
  expect(await (await app.request('/api/v1/drift-reports/loans/3')).json()).toMatchObject({
    realised: { labelled: 2, roc_auc: 1, restated_count: 4, computed_at: '2026-11-22T00:00:00.000Z' },
  });
});

test('the predictions of a window are downloaded as Parquet, and who did is recorded', async () => {
  const { app, audit, leftovers } = await setUp();
  const answer = await app.request('/api/v1/drift-reports/loans/3/archive');
  expect([answer.status, await answer.text()]).toEqual([200, 'PAR1']);
  expect(answer.headers.get('content-type')).toBe('application/vnd.apache.parquet');
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="loans-3.parquet"');
  expect(audit.rows).toMatchObject([{ action: 'downloadWindow', object: 'drift-reports/loans/3', status: 200 }]);
  expect(await leftovers()).toEqual([]);
  const head = await app.request('/api/v1/drift-reports/loans/3/archive', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('a report whose file is damaged is not answered', async () => {
  const { app, deps, folder } = await setUp();
  const { report } = await deps.driftReports.get('loans', 3);
  const path = join(folder, 'artifacts', artifactKey(report.reportSha256));
  await chmod(path, 0o600);
  await writeFile(path, '{}');
  const answer = await app.request('/api/v1/drift-reports/loans/3');
  expect([answer.status, (await problemOf(answer)).code]).toEqual([503, 'UNAVAILABLE']);
});

test('a key for some endpoints sees the reports of these alone', async () => {
  const apiKey = { id: '1', name: 'ci', endpoints: ['loans'] };
  const { app } = await setUp({ authenticate: () => Promise.resolve(principalOf({ apiKey })) });
  const statusOf = async (path: string) => (await app.request(`/api/v1/drift-reports${path}`)).status;
  expect(await statusOf('?endpoint=loans')).toBe(200);
  expect(await statusOf('/loans/3')).toBe(200);
  for (const path of ['', '?endpoint=churn', '/churn/3', '/churn/3/archive'])
    expect([path, await statusOf(path)]).toEqual([path, 403]);
});
