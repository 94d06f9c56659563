import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { applyPipelines } from '../../cli/apply.ts';

const file = (path: string) => new URL(`../../${path}`, import.meta.url).pathname;

/** Stands for the API: remembers what was put and answers as told. */
async function apiDouble(status = 200) {
  const put: { url: string; authorization: string | undefined; name: unknown }[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { authorization } = request.headers;
      put.push({ url: `${request.method} ${request.url}`, authorization, name: (body as { name: unknown }).name });
      const answer = status === 200 ? { name: 'churn', version: 3, definition: body } : { code: 'INVALID' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, put };
}

test('the pipelines that a TypeScript file exports are sent with the token, and nothing else of it', async () => {
  const api = await apiDouble();
  expect(await applyPipelines(file('pipelines/churn.ts'), api.url, 'a-token')).toEqual([{ name: 'churn', version: 3 }]);
  expect(api.put).toEqual([{ url: 'PUT /api/v1/pipelines/churn', authorization: 'Bearer a-token', name: 'churn' }]);
});

test('a file without a pipeline and a refusal of the API are said', async () => {
  const api = await apiDouble(422);
  await expect(applyPipelines(file('ml/random.ts'), api.url, 'a-token')).rejects.toThrow(/exports no pipeline/);
  await expect(applyPipelines(file('pipelines/churn.ts'), api.url, 'a-token')).rejects.toThrow(
    /refused 'churn'.*INVALID/,
  );
});
