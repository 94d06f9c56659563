import { expect, test, vi } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import { notFound } from '../../lib/errors.ts';
import { principalOf } from '../auth/principals.ts';
import { createTestApp } from './doubles.ts';

test('a key for some endpoints hears nothing of the others, and changes nothing of them', async () => {
  const apiKey = { id: '1', name: 'ci', endpoints: ['loans'] };
  const { app } = createTestApp({ authenticate: () => Promise.resolve(principalOf({ apiKey })) });
  const statusOf = async (path: string, init?: RequestInit) => (await app.request(`/api/v1${path}`, init)).status;
  const reads = ['/predictions', '/alerts', '/retrainings', '/drift-reports'];
  for (const path of [...reads, ...reads.map((list) => `${list}?endpoint=churn`), '/silences'])
    expect([path, await statusOf(path)]).toEqual([path, 403]);
  for (const path of ['/endpoints/churn/performance', '/endpoints/churn/drift'])
    expect([path, await statusOf(path)]).toEqual([path, 403]);
  for (const endpoint of ['churn', null]) {
    const body = JSON.stringify({ endpoint, until: '2999-01-01T00:00:00Z', comment: 'moving' });
    const silence = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect(await statusOf('/silences', silence)).toBe(403);
  }
});

test('a key for some endpoints ends silences of these, and of no others', async () => {
  const endpoints = new Map([[1, 'loans'], [2, 'churn'], [3, null]]); // prettier-ignore
  const removeSilence = vi.fn(() => Promise.resolve());
  const alerts = {
    getSilence: (id: number) =>
      endpoints.has(id)
        ? Promise.resolve({ endpoint: endpoints.get(id) })
        : Promise.reject(notFound('silence', String(id))),
    removeSilence,
  } as unknown as ApiDeps['alerts'];
  const apiKey = { id: '1', name: 'ci', endpoints: ['loans'] };
  const { app } = createTestApp({ alerts, authenticate: () => Promise.resolve(principalOf({ apiKey })) });
  const statuses = [1, 2, 3, 4].map(
    async (id) => (await app.request(`/api/v1/silences/${id}`, { method: 'DELETE' })).status,
  );
  expect(await Promise.all(statuses)).toEqual([204, 403, 403, 404]);
  expect(removeSilence).toHaveBeenCalledExactlyOnceWith(1);
});
