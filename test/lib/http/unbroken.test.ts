import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import { listenHttp } from '../../../lib/http/listen.ts';
import { unbroken } from '../../../lib/http/unbroken.ts';

async function* rows(failure?: Error) {
  yield Buffer.from('first\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (failure) throw failure;
  yield Buffer.from('last\n');
}
const serve = async (chunks: () => AsyncIterable<Uint8Array>) => {
  const failures: unknown[] = [];
  const app = new Hono().get('/', (c) =>
    c.body(
      unbroken(c, chunks(), (error) => failures.push(error)),
      200,
    ),
  );
  const http = await listenHttp({ fetch: app.fetch, host: '127.0.0.1', port: 0, variable: 'PORT' });
  onTestFinished(http.close);
  return { failures, url: `http://127.0.0.1:${http.port}/` };
};

test('a body arrives whole', async () => {
  const { url } = await serve(() => rows());
  expect(await (await fetch(url)).text()).toBe('first\nlast\n');
});

test('a body that fails in the middle does not look whole, and does not say why', async () => {
  const reason = new Error('select password from users');
  const { url, failures } = await serve(() => rows(reason));
  const response = await fetch(url);
  let received = '';
  const read = async () => {
    for await (const chunk of response.body!) received += Buffer.from(chunk as Uint8Array).toString();
  };
  await expect(read()).rejects.toThrow();
  expect(received).toBe('first\n');
  expect(failures).toEqual([reason]);
});
