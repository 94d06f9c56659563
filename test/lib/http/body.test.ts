import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { takeBody } from '../../../lib/http/body.ts';
import { type HttpServer, listenHttp } from '../../../lib/http/listen.ts';
import { toProblem } from '../../../lib/http/problem.ts';

const MAX_BYTES = 100_000;
const failures: { status: number; detail: string }[] = [];
const app = new Hono().post('/', async (c) => c.text(`${(await takeBody(c, MAX_BYTES)).toString('latin1')}!`));
app.onError((error, c) => {
  const { status, detail } = toProblem(error, 'r');
  failures.push({ status, detail });
  return c.text(detail, status);
});

let server: HttpServer;
beforeAll(async () => {
  server = await listenHttp({ fetch: app.fetch, host: '127.0.0.1', port: 0, variable: 'PORT' });
});
afterAll(() => server.close());

const chunks = (count: number, size: number) =>
  new ReadableStream({
    start: (controller) => {
      for (let index = 0; index < count; index++) controller.enqueue(Buffer.alloc(size, 'a'));
      controller.close();
    },
  });
const post = async (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) => {
  const url = `http://127.0.0.1:${server.port}/`;
  const answer = await fetch(url, { method: 'POST', body, headers, duplex: 'half' });
  return [answer.status, await answer.text()];
};

test('a body is read whole, in however many pieces it comes, and an empty one is empty', async () => {
  expect(await post('abc')).toEqual([200, 'abc!']);
  expect(await post('')).toEqual([200, '!']);
  expect(await post(chunks(5, 20_000))).toEqual([200, `${'a'.repeat(MAX_BYTES)}!`]);
  const outsideServer = await app.request('/', { method: 'POST', body: 'abc' });
  expect(await outsideServer.text()).toBe('abc!');
});

test('a body that is too large is refused, announced or not, and one in an encoding', async () => {
  expect(await post('a'.repeat(MAX_BYTES + 1))).toEqual([413, 'the body is larger than 100000 bytes']);
  expect(await post(chunks(2, 60_000))).toEqual([413, 'the body is larger than 100000 bytes']);
  expect((await post('abc', { 'content-encoding': 'gzip' }))[0]).toBe(415);
  expect(await post('abc', { 'content-encoding': 'identity' })).toEqual([200, 'abc!']);
});

test('a body whose sender goes away in the middle fails', async () => {
  failures.length = 0;
  const socket = connect(server.port, '127.0.0.1', () =>
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc', () =>
      setTimeout(() => socket.destroy(), 50),
    ),
  );
  await vi.waitFor(
    () => expect(failures).toEqual([{ status: 400, detail: 'the body broke off before its end' }]),
    60_000,
  );
});
