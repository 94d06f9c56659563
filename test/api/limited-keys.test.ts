import { expect, test } from 'vitest';
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
  expect(await statusOf('/silences/1', { method: 'DELETE' })).toBe(403);
  for (const endpoint of ['churn', null]) {
    const body = JSON.stringify({ endpoint, until: '2999-01-01T00:00:00Z', comment: 'moving' });
    const silence = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect(await statusOf('/silences', silence)).toBe(403);
  }
});
