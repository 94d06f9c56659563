import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { settleSecrets } from '../../cli/secrets.ts';
import { fetchWith, tokenFor } from '../../cli/session.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder } from '../platform.ts';

/** Stands for the API: lets in who knows the password. */
async function apiDouble(password: string) {
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const known = request.url === '/api/v1/auth/login' && (body as { password?: string }).password === password;
      const answer = known ? { access_token: `token of ${(body as { username: string }).username}` } : { detail: 'no' };
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
async function home() {
  const { path, remove } = await temporaryFolder('session');
  onTestFinished(remove);
  return (env: NodeJS.ProcessEnv = {}) => loadConfig({ ...env, ANNEAL_HOME: path });
}

test('ANNEAL_TOKEN comes first and asks nobody; without it the administrator of the home logs in', async () => {
  const settings = await home();
  const { admin } = settleSecrets(settings());
  const api = await apiDouble(admin.password!);
  expect(await tokenFor(settings({ ANNEAL_TOKEN: 'anneal_key' }), 'http://127.0.0.1:1')).toBe('anneal_key');
  expect(await tokenFor(settings(), api)).toBe('token of admin');
});

test('without a token or password the error says what to set, a refused password is named as such, an absent API too', async () => {
  const settings = await home();
  const api = await apiDouble('correct horse battery');
  await expect(tokenFor(settings(), api)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('ANNEAL_TOKEN') as string,
  });
  const wrong = tokenFor(settings({ ADMIN_PASSWORD: 'hunter2 hunter2', ADMIN_USERNAME: 'ada' }), api);
  await expect(wrong).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining("'ada'") as string }); // prettier-ignore
  await expect(wrong).rejects.not.toThrow('hunter2');
  const nowhere = tokenFor(settings({ ADMIN_PASSWORD: 'hunter2 hunter2' }), 'http://127.0.0.1:1');
  await expect(nowhere).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a request shows the token beside its own headers', async () => {
  const server = createServer((request, response) => response.end(JSON.stringify(request.headers)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = await fetchWith('abc')(url, { headers: { 'content-type': 'text/csv' } });
  expect(await answer.json()).toMatchObject({ authorization: 'Bearer abc', 'content-type': 'text/csv' });
});
