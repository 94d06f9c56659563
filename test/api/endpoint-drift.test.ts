import { expect, onTestFinished, test } from 'vitest';
import { createWindowSums } from '../../api/window-sums.ts';
import type { ReportedWindow } from '../../db/drift-reports.ts';
import { loadConfig } from '../../lib/config.ts';
import { createThreadPool } from '../../lib/thread-pool.ts';
import { exampleSketches } from '../ml/drift/example-sketches.ts';
import { createTestApp } from './doubles.ts';
import { reportedWindow } from './example-reports.ts';

const THREAD = new URL('../../workers/add-up-windows.ts', import.meta.url);

/** The API on the real thread, with these windows (newest first) of `loans`. */
async function setUp(windows: readonly { version: number; from: number }[], nextCursor: string | null = null) {
  const lists: unknown[] = [];
  const items: ReportedWindow[] = [];
  const sums = createWindowSums(() => createThreadPool(THREAD, 1, { config: loadConfig({ ANNEAL_HOME: api.folder }) }));
  onTestFinished(sums.close);
  const api = createTestApp({
    driftReports: {
      list: (filter) => (lists.push(filter), Promise.resolve({ items, nextCursor })),
      get: () => Promise.reject(new Error('no test double')),
    },
    addUpWindows: sums.addUp,
  });
  for (const [index, { version, from }] of windows.entries()) {
    const { sha256 } = await api.store.put(Buffer.from(JSON.stringify(exampleSketches(from))));
    const { window, report } = reportedWindow(windows.length - index, { sketchesSha256: sha256 });
    items.push({ window: { ...window, version }, report });
  }
  return { ...api, lists };
}

test('windows are added up for each version, on a thread of their own', async () => {
  const { app, lists } = await setUp([
    { version: 2, from: 500 },
    { version: 1, from: 0 },
    { version: 2, from: 0 },
  ]);
  const answer = await app.request('/api/v1/endpoints/loans/drift');
  expect(answer.status).toBe(200);
  const { versions, ...rest } = (await answer.json()) as { versions: Record<string, never>[] };
  expect(rest).toEqual({ endpoint: 'loans', since: '2025-12-31T00:00:00.000Z', until: '2026-01-01T00:00:00.000Z' });
  const [since, until] = [new Date('2025-12-31T00:00:00Z'), new Date('2026-01-01T00:00:00Z')];
  expect(lists).toEqual([{ endpoint: 'loans', since, until, limit: 200 }]);
  expect(versions).toMatchObject([
    { model: 'loans', version: 2, windows: 2, rows: { reference: 1000, current: 1000 }, drifted: false },
    { model: 'loans', version: 1, windows: 1, rows: { reference: 1000, current: 500 }, drifted: true },
  ]);
});

test('without windows there is no version; too many, or those of another endpoint, are refused', async () => {
  const { app } = await setUp([]);
  expect(await (await app.request('/api/v1/endpoints/loans/drift')).json()).toMatchObject({ versions: [] });
  const many = await setUp([{ version: 1, from: 0 }], 'more');
  const answer = await many.app.request('/api/v1/endpoints/loans/drift?since=2020-01-01T00:00:00Z');
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({ errors: [{ path: 'since', rule: 'max_windows' }] });
});
