import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { removeLeftovers } from '../../api/uploads.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { createTestApp, problemOf, type TestApp } from './doubles.ts';

const path = '/api/v1/datasets';
const SOON = { timeout: 60_000 };
const upload = (api: TestApp, query: string, body: string | ReadableStream<Uint8Array>, contentType = 'text/csv') =>
  api.app.request(`${path}?${query}`, {
    method: 'POST',
    body,
    headers: { 'content-type': contentType, authorization: 'Bearer ada' },
  });

async function listen(api: TestApp) {
  const server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  return server.port;
}

test('an upload becomes a dataset version of its bytes, whatever its size beside the JSON limit', async () => {
  const api = createTestApp({ maxBodyBytes: 10 });
  const csv = 'a,b\n1,2\n'.repeat(100);
  const response = await upload(api, 'name=churn', csv);
  expect(response.status).toBe(201);
  const sha256 = createHash('sha256').update(csv).digest('hex');
  const body = (await response.json()) as { id: string };
  expect(body).toMatchObject({ name: 'churn', format: 'csv', bytes: 800, sha256, created_by: 'ada' });
  expect(body.id).toBe(`ds_20260101T000000Z_${sha256.slice(0, 12)}`);
  expect(response.headers.get('location')).toBe(`${path}/${body.id}`);
  expect(Buffer.from(await api.store.get(sha256)).toString()).toBe(csv);
  expect(await api.leftovers()).toEqual([]);
  const detail = await (await api.app.request(`${path}/${body.id}`)).json();
  expect(detail).toMatchObject({ id: body.id, tables: [] });
});

test('a chunked upload over HTTP is stored whole', async () => {
  const api = createTestApp();
  const port = await listen(api);
  async function* rows() {
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      yield Buffer.from(`${i},x\n`);
    }
  }
  const response = await fetch(`http://127.0.0.1:${port}${path}?name=churn`, {
    method: 'POST',
    body: ReadableStream.from(rows()),
    duplex: 'half',
    headers: { 'content-type': 'application/x-ndjson', authorization: 'Bearer ada' },
  });
  expect(response.status).toBe(201);
  const { sha256, format } = (await response.json()) as { sha256: string; format: string };
  expect(format).toBe('ndjson');
  expect(
    Buffer.from(await api.store.get(sha256))
      .toString()
      .split('\n'),
  ).toHaveLength(51);
});

test('an upload over the limit is 413 and leaves nothing, announced or chunked', async () => {
  const api = createTestApp({ maxUploadBytes: 1000 });
  const port = await listen(api);
  const url = `http://127.0.0.1:${port}${path}?name=churn`;
  const headers = { 'content-type': 'text/csv', authorization: 'Bearer ada' };
  const announced = await fetch(url, { method: 'POST', body: 'x'.repeat(5000), headers });
  expect([announced.status, (await problemOf(announced)).code]).toEqual([413, 'TOO_LARGE']);
  const body = new Blob(['x'.repeat(5000)]).stream();
  const chunked = await fetch(url, { method: 'POST', body, duplex: 'half', headers });
  expect(chunked.status).toBe(413);
  expect(api.datasets.rows.size).toBe(0);
  expect(await api.leftovers()).toEqual([]);
});

test.each([
  ['with an announced length', 'content-length: 900\r\n\r\na,b\n1,2\n'],
  ['in chunks', 'transfer-encoding: chunked\r\n\r\n4\r\na,b\n\r\n'],
])('an upload %s that breaks off leaves nothing', async (_, rest) => {
  const api = createTestApp();
  const port = await listen(api);
  const head = `POST ${path}?name=churn HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ada\r\ncontent-type: text/csv\r\n`;
  const socket = connect(port, '127.0.0.1');
  socket.write(head + rest);
  await expect.poll(api.leftovers, SOON).toHaveLength(1);
  socket.destroy();
  await once(socket, 'close');
  await expect.poll(api.leftovers, SOON).toEqual([]);
  expect(api.datasets.rows.size).toBe(0);
});

test.each([
  ['no name', '', 'text/csv', 422, 'name'],
  ['a name that is no name', 'name=A%20b', 'text/csv', 422, 'name'],
  ['plain bytes without a format', 'name=churn', 'application/octet-stream', 422, 'format'],
  ['an unknown format', 'name=churn&format=xls', 'application/octet-stream', 422, 'format'],
  ['a format against the media type', 'name=churn&format=parquet', 'text/csv', 422, 'format'],
])('%s is refused naming the field', async (_, query, contentType, status, field) => {
  const api = createTestApp();
  const response = await upload(api, query, 'a\n', contentType);
  expect(response.status).toBe(status);
  expect((await problemOf(response)).errors).toMatchObject([{ path: field }]);
});

test('another media type is 415, plain bytes with a format are taken, and an empty file is 422', async () => {
  const api = createTestApp();
  expect((await upload(api, 'name=churn', 'a\n', 'application/pdf')).status).toBe(415);
  const bytes = await upload(api, 'name=churn&format=ndjson', '{"a":1}', 'application/octet-stream');
  expect(await bytes.json()).toMatchObject({ format: 'ndjson' });
  const empty = await upload(api, 'name=churn', '');
  expect([empty.status, (await problemOf(empty)).errors[0]?.rule]).toEqual([422, 'not_empty']);
});

test('an unknown dataset is 404', async () => {
  const { app } = createTestApp();
  expect((await app.request(`${path}/ds_20260101T000000Z_000000000000`)).status).toBe(404);
});

test('uploads that a killed process left are removed after a day, younger ones stay', async () => {
  const api = createTestApp();
  await mkdir(`${api.folder}/upload-1/part`, { recursive: true });
  await removeLeftovers(api.folder, Date.now() + 3_600_000);
  expect(await api.leftovers()).toEqual(['upload-1']);
  await removeLeftovers(api.folder, Date.now() + 25 * 3_600_000);
  expect(await api.leftovers()).toEqual([]);
});
