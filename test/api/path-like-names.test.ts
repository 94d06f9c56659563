import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { listenHttp } from '../../lib/http/listen.ts';
import { shopDefinition } from '../data/examples.ts';
import { createTestApp, problemOf } from './doubles.ts';

const NAMES = {
  'a folder above': '../x',
  'two folders above': '../../etc/passwd',
  'an absolute path': '/etc/passwd',
  'a path inside': 'a/b',
  'dots only': '..',
  'a Windows path': '..\\..\\x',
  'a drive': 'C:\\x',
  'a NUL byte': 'churn\0.csv',
  'an encoded folder above': '%2e%2e/x',
  'a twice encoded folder above': '%252e%252e%252fx',
  'full-width dots': '．．／x',
  'a division slash': 'a∕b',
  'a character that turns text round': 'a\u202egnp',
  'a name with a zero-width space': 'chu\u200brn',
  'a Cyrillic letter': 'сhurn',
  'a line end': 'churn\r\nx-header: 1',
  'a file URL': 'file:///etc/passwd',
  'a name with 5,000 letters': 'a'.repeat(5000),
};
const names = Object.entries(NAMES);
const INSIDES = /node_modules|\.ts:\d|\bat \S+ \(|ENOENT|ENAMETOOLONG|EINVAL/;

/** Sends a target as it is: neither fetch nor Request would leave `..` in it. */
async function door() {
  const api = createTestApp();
  const server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  return (method: string, path: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const headers = { authorization: 'Bearer ada', 'content-type': 'application/json', connection: 'close' };
      const sent = request({ host: '127.0.0.1', port: server.port, method, path, headers }, (answer) => {
        void text(answer).then((body) => resolve({ status: answer.statusCode!, body }));
      });
      sent.on('error', reject);
      sent.end(method === 'GET' ? undefined : '{}');
    });
}

interface Document {
  readonly paths: Record<string, Record<string, unknown>>;
}

async function operations(): Promise<[string, string][]> {
  const document = (await (await createTestApp().app.request('/openapi.json')).json()) as Document;
  return Object.entries(document.paths)
    .filter(([path]) => path.includes('{'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path]));
}

test(
  'no route with a name in its path takes one that is like a path, encoded or raw',
  { timeout: 60_000 },
  async () => {
    const send = await door();
    const routes = await operations();
    expect(routes.length).toBeGreaterThan(15);
    for (const [method, path] of routes) {
      for (const [what, name] of names) {
        const raw = /^[\x21-\x7e]+$/.test(name) ? [name] : [];
        for (const written of [encodeURIComponent(name), ...raw]) {
          const { status, body } = await send(
            method,
            path.replaceAll(/\{[^}]+\}/g, () => written),
          );
          const label = `${method} ${path} with ${what} as ${written.slice(0, 40)}: ${status} ${body.slice(0, 300)}`;
          expect(status, label).toBeGreaterThanOrEqual(400);
          expect(status, label).toBeLessThan(500);
          expect(body, label).not.toMatch(INSIDES);
        }
      }
    }
  },
);

test.each(names)('%s is no name for a dataset', async (_, name) => {
  const { app, datasets, leftovers } = createTestApp();
  const url = `/api/v1/datasets?name=${encodeURIComponent(name)}`;
  const response = await app.request(url, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a\n1\n' });
  expect(response.status).toBe(422);
  expect((await problemOf(response)).errors).toMatchObject([{ path: 'name' }]);
  expect([datasets.rows.size, await leftovers()]).toEqual([0, []]);
});

test.each(names)('%s is no name in a definition', async (_, name) => {
  const { app } = createTestApp();
  const put = async (path: string, definition: object) =>
    await app.request(`/api/v1/pipelines/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(definition),
    });
  for (const field of ['name', 'model', 'endpoint']) {
    const response = await put('shop', { ...shopDefinition(), [field]: name });
    expect(response.status, field).toBe(422);
    expect((await problemOf(response)).errors.map(({ path }) => path)).toContain(field);
  }
  const source = { kind: 'sql', connection: name, query: 'SELECT 1' };
  const sql = await put('shop', { ...shopDefinition(), source });
  expect((await problemOf(sql)).errors).toMatchObject([{ path: 'source.connection' }]);
});

const accepted = new Set(['a path inside', 'a Cyrillic letter']); // an object's key is a path of the store
test.each(names.filter(([what]) => !accepted.has(what)))('%s is no key of an object', async (_, key) => {
  const { post } = createTestApp();
  const response = await post('/api/v1/train', { pipeline: 'churn', source: { kind: 'object', key, format: 'csv' } });
  expect(response.status).toBe(422);
  expect((await problemOf(response)).errors).toMatchObject([{ path: 'source.key' }]);
});

test.each(['sha256/ab/abcdef', 'inbox//x', 'inbox/../x', './x', 'x/', `${'a/'.repeat(600)}a`, '€'.repeat(90)])(
  '%s is no key of an object',
  async (key) => {
    const { post } = createTestApp();
    const response = await post('/api/v1/train', { pipeline: 'churn', source: { kind: 'object', key, format: 'csv' } });
    expect(response.status).toBe(422);
  },
);

test.each(['inbox/churn.csv', 'Größe 2026/März (1).csv', 'date=2026-11-21/part-0.parquet', '..churn/a...b.csv'])(
  '%s is a key of an object',
  async (key) => {
    const { post } = createTestApp();
    const response = await post('/api/v1/train', { pipeline: 'churn', source: { kind: 'object', key, format: 'csv' } });
    expect(response.status).toBe(202);
  },
);

test.each(names)('%s names nothing in a request to train', async (_, name) => {
  const { post } = createTestApp();
  for (const body of [{ pipeline: name }, { pipeline: 'churn', dataset_version: name }]) {
    const { status } = await post('/api/v1/train', body);
    expect([404, 422]).toContain(status);
  }
  expect((await post('/api/v1/train/fetch-best-model', { model: name })).status).toBe(422);
});

test.each([
  ['https://data.example.org/rows.csv', 202, null],
  ['https://evil.example.org/rows.csv', 422, 'allowed'],
  ['https://data.example.org:22/', 422, 'allowed'],
  ['https://ada:pw@data.example.org/', 422, 'credentials'],
  ['http://data.example.org/', 422, 'scheme'],
  ['file:///etc/passwd', 422, 'invalid_format'],
  ['not a url', 422, 'invalid_format'],
])('a run whose source is %s is answered %i', async (url, status, rule) => {
  const { post, app } = createTestApp();
  const source = { kind: 'url', url, format: 'csv' };
  const response = await post('/api/v1/train', { pipeline: 'churn', source });
  expect(response.status).toBe(status);
  if (rule !== null) expect((await problemOf(response)).errors).toMatchObject([{ path: 'source.url', rule }]);
  // A definition is checked alike, so that no schedule meets a URL that nobody allowed.
  const saved = await app.request('/api/v1/pipelines/shop', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(shopDefinition({ source: { kind: 'url', url: 'https://evil.test/', format: 'csv' } })),
  });
  expect((await problemOf(saved)).errors).toMatchObject([{ path: 'source.url', rule: 'allowed' }]);
});
