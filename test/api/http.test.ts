import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listenHttp } from '../../lib/http/listen.ts';
import { createTestApp, problemOf, type TestApp } from './doubles.ts';

// Through a real HTTP server: what `app.request` cannot show.
async function listen(api: TestApp) {
  const server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  return { port: server.port, url: `http://127.0.0.1:${server.port}` };
}

async function* chunks(count: number, bytes: number) {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.alloc(bytes, 'a');
  }
}
const streamed = (url: string, body: AsyncIterable<Uint8Array>, contentType: string) =>
  fetch(url, {
    method: 'POST',
    body: ReadableStream.from(body),
    duplex: 'half',
    headers: { 'content-type': contentType, authorization: 'Bearer ada' },
  });

/** Writes raw bytes and reads until the server closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(text);
  let answer = '';
  socket.on('data', (data) => (answer += String(data)));
  await once(socket, 'close');
  return answer;
}

test('a body over the limit is 413 whether its length is announced or it comes in chunks', async () => {
  const api = createTestApp({ maxBodyBytes: 1000 });
  const { url } = await listen(api);
  const announced = await api.post('/api/v1/train', 'x'.repeat(1001), { 'content-length': '1001' });
  expect([announced.status, (await problemOf(announced)).code]).toEqual([413, 'TOO_LARGE']);
  const chunked = await streamed(`${url}/api/v1/train`, chunks(20, 100), 'application/json');
  expect([chunked.status, (await problemOf(chunked)).code]).toEqual([413, 'TOO_LARGE']);
  const small = await streamed(`${url}/api/v1/train`, chunks(2, 100), 'application/json');
  expect(small.status).toBe(400);
});

test('a JSON body without a Content-Type is 415, and no body at all is 422', async () => {
  const api = createTestApp();
  const { port } = await listen(api);
  const body = JSON.stringify({ pipeline: 'churn' });
  const head = 'POST /api/v1/train HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ada\r\nconnection: close\r\n';
  expect(await raw(port, `${head}content-length: ${body.length}\r\n\r\n${body}`)).toMatch(
    /^HTTP\/1.1 415 [^]*"UNSUPPORTED_MEDIA_TYPE"/,
  );
  expect(await raw(port, `${head}content-length: 0\r\n\r\n`)).toMatch(/^HTTP\/1.1 422 [^]*"path":"body"/);
  const text = await api.app.request('/api/v1/train', {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain' },
  });
  expect(text.status).toBe(415);
});

test('broken JSON is 400 with a code', async () => {
  const response = await createTestApp().post('/api/v1/train', '{');
  expect([response.status, (await problemOf(response)).code]).toEqual([400, 'BAD_REQUEST']);
});

test('doubled and encoded slashes reach no other route', async () => {
  const { port } = await listen(createTestApp());
  const get = (target: string) =>
    raw(port, `GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ada\r\nconnection: close\r\n\r\n`);
  for (const target of [
    '//livez',
    '//evil.example/livez',
    '/api//v1/pipelines',
    '/api/v1%2Fpipelines',
    '/api/v1/pipelines%2Fchurn',
    '//api/v1/pipelines',
  ]) {
    expect(await get(target), target).toMatch(/^HTTP\/1.1 404 [^]*"NOT_FOUND"/);
  }
  // Inside one segment an encoded slash stays part of the name, which no name may have.
  expect(await get('/api/v1/pipelines/churn%2Fversions')).toMatch(/^HTTP\/1.1 422 [^]*"path":"name"/);
  expect(await get('/api/v1/runs/%00')).toMatch(/^HTTP\/1.1 422 /);
  expect(await get('/api/v1/runs/%ff')).toMatch(/^HTTP\/1.1 4\d\d /);
});

test('an unexpected error is a 500 that says nothing of its inside', async () => {
  const api = createTestApp({ checks: {} });
  api.runs.list = () => Promise.reject(new Error('select secret from /home/ada'));
  const response = await api.app.request('/api/v1/runs');
  const body = JSON.stringify(await response.clone().json());
  expect([response.status, (await problemOf(response)).code]).toEqual([500, 'INTERNAL']);
  expect(body).not.toMatch(/secret|ada|\.ts/);
});

test('a database that is away is 503 with Retry-After', async () => {
  const api = createTestApp();
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
  api.runs.list = () => Promise.reject(new Error('Failed query: select …', { cause }));
  const response = await api.app.request('/api/v1/runs');
  expect(response.headers.get('retry-after')).toBe('2');
  expect([response.status, (await problemOf(response)).detail]).toEqual([503, expect.not.stringContaining('10.0.0.1')]);
});

test('the request id of the caller comes back, a strange one is replaced', async () => {
  const { app } = createTestApp();
  const id = async (given: string) =>
    (await app.request('/livez', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
  expect(await id('abc-1')).toBe('abc-1');
  expect(await id('no spaces')).toMatch(/^[0-9a-f-]{36}$/);
});

test('metrics count requests by the route’s pattern', async () => {
  const { app } = createTestApp();
  await app.request('/api/v1/runs/r1');
  await app.request('/nowhere/at/all');
  const text = await (await app.request('/metrics')).text();
  expect(text).toContain('anneal_api_request_seconds_count{method="GET",route="/api/v1/runs/:id",status="404"} 1');
  expect(text).not.toContain('nowhere');
});

test('a list’s limit outside 1 to 200 is 422 naming it', async () => {
  const { app } = createTestApp();
  for (const limit of ['0', '201', 'x', '1.5']) {
    const response = await app.request(`/api/v1/runs?limit=${limit}`);
    expect(response.status).toBe(422);
    expect((await problemOf(response)).errors).toMatchObject([{ path: 'limit' }]);
  }
});
