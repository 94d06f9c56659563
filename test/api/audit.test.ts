import { expect, test } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import { PlatformError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { principalOf } from '../auth/principals.ts';
import { exampleDefinition, exampleVersion } from '../db/examples.ts';
import { createTestApp, problemOf } from './doubles.ts';

const source = { kind: 'object', key: 'churn.csv', format: 'csv' } as const;
const pipeline = '/api/v1/pipelines/churn';
const put = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'PUT',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});
/** Everybody is a `user`, who may only predict. */
const onlyUsers = { authenticate: (user: string) => Promise.resolve(principalOf({ user, role: 'user' })) };

test('a change is recorded with who, what, its outcome and the request id', async () => {
  const { app, audit } = createTestApp();
  const response = await app.request(pipeline, put(exampleDefinition('churn', 'new'), { 'x-request-id': 'r-1' }));
  expect(response.status).toBe(201);
  expect(audit.rows).toMatchObject([
    {
      ...{ actor: 'tester', action: 'putPipeline', object: 'pipelines/churn', status: 201, requestId: 'r-1' },
      detail: { version: 2 },
    },
  ]);
});

test('what a request makes is the object, and an action is about what it is done to', async () => {
  const { app, audit, post } = createTestApp();
  await post('/api/v1/train/', { pipeline: 'churn', source, run_id: 'r1' });
  await post('/api/v1/runs/r1/cancel', {});
  const upload = { method: 'POST', body: 'a\n1\n', headers: { 'content-type': 'text/csv' } };
  const dataset = (await (await app.request('/api/v1/datasets?name=churn', upload)).json()) as { id: string };
  expect(audit.rows.map(({ action, object }) => [action, object])).toEqual([
    ['startTraining', 'runs/r1'],
    ['cancelRun', 'runs/r1'],
    ['uploadDataset', `datasets/${dataset.id}`],
  ]);
  expect(audit.rows[0]!.detail).toMatchObject({ pipeline: 'churn', source: 'object' });
});

test('a download is recorded, other reads are not', async () => {
  const models = { getVersion: () => Promise.resolve({ ...exampleVersion('churn', 'r1'), version: 3 }) };
  const { app, audit } = createTestApp({ models: models as unknown as ApiDeps['models'] });
  for (const path of ['/api/v1/pipelines', '/api/v1/runs', '/livez', '/readyz', '/openapi.json', '/nowhere'])
    await app.request(path);
  const model = '/api/v1/models/churn/versions/3/model.onnx';
  expect((await app.request(model, { method: 'HEAD' })).status).toBe(200);
  expect(audit.rows).toEqual([]);
  expect((await app.request(model)).status).toBe(404);
  expect(audit.rows).toMatchObject([{ action: 'downloadModel', object: 'models/churn/versions/3', status: 404 }]);
});

test('a refused credential is recorded, reads too; a request without one is not', async () => {
  const refusing = createTestApp({
    authenticate: () => Promise.reject(new PlatformError('UNAUTHENTICATED', 'no')),
  });
  expect((await refusing.app.request('/api/v1/runs', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
  expect((await refusing.app.request('/api/v1/runs', { headers: { authorization: '' } })).status).toBe(401);
  expect(refusing.audit.rows).toMatchObject([{ actor: 'anonymous', action: 'listRuns', status: 401 }]);
  const without = createTestApp({ authenticate: onlyUsers.authenticate });
  const naked = new Request('http://x/api/v1/train', { method: 'POST' });
  expect((await without.app.fetch(naked)).status).toBe(401);
  expect(without.audit.rows).toEqual([]);
  expect((await without.app.request(pipeline)).status).toBe(403);
  expect(without.audit.rows).toMatchObject([
    { actor: 'tester', action: 'getPipeline', object: 'pipelines/churn', status: 403 },
  ]);
});

test('a refusal by rate is a flood and not recorded', async () => {
  const { app, audit } = createTestApp({
    authenticate: () => Promise.reject(new PlatformError('RATE_LIMITED', 'slow down')),
  });
  expect((await app.request(pipeline, put({}))).status).toBe(429);
  expect(audit.rows).toEqual([]);
});

test('a lockout after failed logins is recorded with the name that was tried', async () => {
  const locked = new PlatformError('RATE_LIMITED', 'too many failed attempts', { retryAfterSeconds: 8 });
  const auth = { loginGuard: () => Promise.reject(locked) } as unknown as ApiDeps['auth'];
  const { post, audit } = createTestApp({ auth });
  expect((await post('/api/v1/auth/login', { username: 'ada', password: 'guess-guess-guess' })).status).toBe(429);
  expect(audit.rows).toMatchObject([{ actor: 'anonymous', action: 'login', status: 429, detail: { username: 'ada' } }]);
  expect(JSON.stringify(audit.rows)).not.toContain('guess-guess');
});

test('what cannot be recorded is answered 503, and the log has the row', async () => {
  const lines: string[] = [];
  const log = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
  const auditLog = {
    append: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1')),
  } as unknown as ApiDeps['auditLog'];
  const { app, pipelines } = createTestApp({ auditLog, log });
  const response = await app.request(pipeline, put(exampleDefinition('churn', 'new'), { 'x-request-id': 'r-1' }));
  expect(response.status).toBe(503);
  expect(response.headers.get('location')).toBeNull();
  expect([response.headers.get('x-request-id'), response.headers.get('retry-after')]).toEqual(['r-1', '2']);
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ code: 'UNAVAILABLE', request_id: 'r-1' });
  expect(problem.detail).toContain('may have been carried out');
  expect(pipelines.saved.get('churn')).toHaveLength(2);
  const event = { actor: 'tester', action: 'putPipeline', object: 'pipelines/churn', status: 201, requestId: 'r-1' };
  const logged = lines.map((line) => JSON.parse(line) as { audit?: unknown }).filter(({ audit }) => audit);
  expect(logged).toMatchObject([{ audit: { ...event, detail: { version: 2 } } }]);
  expect(lines.map((line) => (JSON.parse(line) as { status?: number }).status)).toContain(503);
});

test('an export that cannot be recorded does not begin', async () => {
  const auditLog = {
    append: () => Promise.reject(new Error('no')),
    read: async function* () {
      await Promise.reject(new Error('read'));
      yield* [];
    },
  } as unknown as ApiDeps['auditLog'];
  const response = await createTestApp({ auditLog }).app.request('/api/v1/audit/export');
  expect([response.status, response.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
  expect(response.headers.get('content-disposition')).toBeNull();
});

test('a failed download answers a problem without the headers of the file', async () => {
  const version = { ...exampleVersion('churn', 'r1'), version: 3, onnxBytes: 12_345 };
  const models = { getVersion: () => Promise.resolve(version) } as unknown as ApiDeps['models'];
  const { app } = createTestApp({ models });
  const response = await app.request('/api/v1/models/churn/versions/3/model.onnx');
  expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  for (const name of ['content-length', 'etag', 'content-disposition']) expect(response.headers.get(name)).toBeNull();
});

test('an administrator reads and exports the trail; nobody else does', async () => {
  const { app, audit } = createTestApp();
  await app.request(pipeline, put(exampleDefinition('churn', 'new')));
  const body = (await (await app.request('/api/v1/audit')).json()) as { items: Record<string, unknown>[] };
  expect(body.items).toMatchObject([{ sequence: 1, actor: 'tester', request_id: audit.rows[0]!.requestId }]);
  const csv = await app.request('/api/v1/audit/export?actor=tester');
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  const [head, ...lines] = (await csv.text()).trim().split('\r\n');
  expect(head).toBe(Object.keys(body.items[0]!).join(','));
  expect(lines[0]).toContain('pipelines/churn');
  expect(audit.rows.at(-1)).toMatchObject({ action: 'exportAuditEntries', detail: { actor: 'tester' } });
  const users = createTestApp(onlyUsers);
  for (const path of ['/api/v1/audit', '/api/v1/audit/export'])
    expect((await users.app.request(path)).status).toBe(403);
});

test('no cell of the export is a formula', async () => {
  const { app, audit } = createTestApp();
  const row = { action: 'login', status: 401, address: null, requestId: 'r', detail: {} };
  await audit.append({ ...row, actor: "=cmd|'/c calc'!A1", object: '@SUM(1)' });
  const [, line] = (await (await app.request('/api/v1/audit/export')).text()).split('\r\n');
  expect(line).toContain("'=cmd|'/c calc'!A1,login,'@SUM(1)");
});

test.each(['since=yesterday', 'actor=a%00b', 'action=a.b', 'object=a%0ab', 'until=2026-13-01T00:00:00Z'])(
  'the filter %s is refused',
  async (query) => {
    const { app } = createTestApp();
    const response = await app.request(`/api/v1/audit?${query}`);
    expect((await problemOf(response)).errors.map(({ path }) => path)).toEqual([query.split('=')[0]]);
    expect(response.status).toBe(422);
  },
);
