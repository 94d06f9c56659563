import { expect, test } from 'vitest';
import { authenticateCallers, callAsEverybody, type Document, operationsOf, routesOf } from '../who-may-call.ts';
import { createTestApp } from './doubles.ts';

const documentOf = async ({ app }: ReturnType<typeof createTestApp>) =>
  (await (await app.request('/openapi.json')).json()) as Document;

test('every route of the API refuses and answers whom its document says', async () => {
  const api = createTestApp({ authenticate: authenticateCallers });
  const document = await documentOf(api);
  // As over HTTP: who sends no credential has none.
  const request = (path: string, init: RequestInit) =>
    Promise.resolve(api.app.fetch(new Request(`http://x${path}`, init)));
  const { surprises, calls } = await callAsEverybody({ routes: api.app.routes, request: request as never }, document);
  expect(surprises).toEqual([]);
  expect(calls).toBeGreaterThan(500);
});

test('the document lists the routes there are, and these alone are public', async () => {
  const api = createTestApp();
  const operations = operationsOf(await documentOf(api));
  const undocumented = [
    'GET /livez',
    'GET /readyz',
    'GET /metrics',
    'GET /docs',
    'GET /docs/start.js',
    'GET /docs/{asset}',
    'GET /openapi.json',
    'GET /reports',
    'GET /reports/{endpoint}/{sequence}',
  ];
  expect([...operations.map(({ route }) => route), ...undocumented].sort()).toEqual(routesOf(api.app).sort());
  expect(
    operations
      .filter(({ security }) => security.length === 0)
      .map(({ route }) => route)
      .sort(),
  ).toEqual([
    'GET /api/v1/data/health',
    'GET /api/v1/train/health',
    'POST /api/v1/auth/login',
    'POST /api/v1/auth/refresh',
  ]);
});
