import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const HEALTHCHECK = join(import.meta.dirname, '..', '..', 'deploy', 'healthcheck.ts');

const server = createServer((request, response) => {
  if (request.url === '/silent') return;
  response.writeHead(Number(request.url!.slice(1)), { location: '/200' }).end();
});
let url: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const statusOf = async (asked: string): Promise<unknown> => {
  const check = spawn(process.execPath, [HEALTHCHECK, asked], { stdio: 'ignore' });
  return ((await once(check, 'exit')) as unknown[])[0];
};

test('what answers 200 is healthy; what answers anything else, nothing, or not in time is not', async () => {
  const asked = [`${url}/503`, `${url}/302`, `${url}/silent`, 'http://127.0.0.1:1/', ''];
  expect(await Promise.all(asked.map(statusOf))).toEqual([1, 1, 1, 1, 1]);
  // On a busy machine an answer may take longer than the 3 s: Docker asks again, too.
  await expect.poll(() => statusOf(`${url}/200`), { timeout: 60_000 }).toBe(0);
});
