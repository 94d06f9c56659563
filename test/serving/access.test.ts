import type { Hono } from 'hono';
import { expect, test } from 'vitest';
import { principalOf } from '../auth/principals.ts';
import { authenticateCallers, callAsEverybody, type Document, operationsOf, routesOf } from '../who-may-call.ts';
import { createTestServing, exampleSlot } from './doubles.ts';

const documentOf = async (app: Pick<Hono, 'request'>, authorization: string) =>
  (await (await app.request('/openapi.json', { headers: { authorization } })).json()) as Document;

test('every route of serving refuses and answers whom its document says', async () => {
  const { app } = createTestServing({ authenticate: authenticateCallers });
  const { surprises, calls } = await callAsEverybody(app, await documentOf(app, 'Bearer user'));
  expect(surprises).toEqual([]);
  expect(calls).toBeGreaterThan(150);
});

test('the document lists the routes there are, and these alone are public', async () => {
  const { app } = createTestServing();
  const operations = operationsOf(await documentOf(app, ''));
  const undocumented = ['GET /docs', 'GET /docs/start.js', 'GET /docs/{asset}', 'GET /openapi.json'];
  expect([...operations.map(({ route }) => route), ...undocumented].sort()).toEqual(routesOf(app).sort());
  expect(operations.filter(({ security }) => security.length === 0).map(({ route }) => route)).toEqual([
    'GET /api/v1/predict/health',
    'GET /health',
    'GET /livez',
    'GET /readyz',
    'GET /metrics',
    'GET /v2',
    'GET /v2/health/live',
    'GET /v2/health/ready',
  ]);
});

test('a stranger reads no feature and no example in the document, who may predict does', async () => {
  const { app } = createTestServing({ authenticate: authenticateCallers });
  for (const stranger of ['', 'Bearer made-up', 'Bearer key-of-none', 'Bearer key-data']) {
    const text = JSON.stringify(await documentOf(app, stranger));
    expect(text, stranger).not.toMatch(/churn|"age"|spend|"plan"|basic/);
  }
  expect(JSON.stringify(await documentOf(app, 'Bearer key-predict'))).toContain('"example":{"age":30');
});

test('a key for some endpoints sees and uses no other, and no pinned model', async () => {
  const apiKey = { id: '1', name: 'shop', endpoints: ['battle'] };
  const { app, slots } = createTestServing({
    authenticate: () => Promise.resolve(principalOf({ scopes: ['predict'], apiKey })),
  });
  slots.swap('battle', exampleSlot('battle', 1));
  const status = async (path: string, init: RequestInit = {}) =>
    (await app.request(path, { ...init, headers: { authorization: 'Bearer key' } })).status;
  const row = { method: 'POST', body: JSON.stringify({ age: 30 }) };
  expect(await status('/api/v1/predict/battle', row)).toBe(200);
  expect(await status('/meta?endpoint=battle')).toBe(200);
  for (const path of ['/predict', '/api/v1/predict/churn', '/api/v1/predict?endpoint=churn', '/api/v1/predict/nobody'])
    expect(await status(path, row), path).toBe(403);
  for (const path of ['/meta', '/lineage?endpoint=churn', '/lineage']) expect(await status(path), path).toBe(403);
  const response = await app.request('/api/v1/predict/models', { headers: { authorization: 'Bearer key' } });
  expect(((await response.json()) as { models: { endpoint: string }[] }).models.map((m) => m.endpoint)).toEqual([
    'battle',
  ]);
  const document = JSON.stringify(await documentOf(app, 'Bearer key'));
  expect(document).toContain('/api/v1/predict/battle');
  expect(document).not.toContain('churn');
  slots.swap('churn', { ...exampleSlot('churn', 4), endpoint: null, revision: null });
  expect(await status('/predict', row)).toBe(403);
});
