import { expect, onTestFinished, test } from 'vitest';
import { startHealthServer, type Checks } from '../../lib/health-server.ts';
import { createMetrics } from '../../lib/metrics.ts';

async function start(checks: Checks) {
  const metrics = () => createMetrics('worker').metrics();
  const server = await startHealthServer({ port: 0, variable: 'TEST_PORT', checks, metrics });
  onTestFinished(server.stop);
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  return { ...server, get };
}

test('is ready when every check passes', async () => {
  const { get } = await start({ postgres: () => Promise.resolve(), worker: () => {} });
  const response = await get('/readyz');
  expect([response.status, await response.json()]).toEqual([200, { status: 'ready', failing: [] }]);
});

test('is live but not ready when a check fails or hangs, and names it', async () => {
  const { get } = await start({
    good: () => {},
    thrown: () => {
      throw new Error('secret');
    },
    hangs: () => new Promise(() => {}),
  });
  const response = await get('/readyz');
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: 'not_ready', failing: ['thrown', 'hangs'] },
  ]);
  expect((await get('/livez')).status).toBe(200);
});

test('is not ready when there is nothing to check', async () => {
  const { get } = await start({});
  expect((await get('/readyz')).status).toBe(503);
});

test('metrics carry the service', async () => {
  const { get } = await start({ good: () => {} });
  expect(await (await get('/metrics')).text()).toMatch(/process_cpu_user_seconds_total\{service="worker"\}/);
});

test('any other path is not found', async () => {
  const { get } = await start({});
  expect((await get('/metrics/')).status).toBe(404);
});

test('a taken port is an error that names the variable', async () => {
  const { port } = await start({});
  const second = startHealthServer({ port, variable: 'TEST_PORT', checks: {}, metrics: () => Promise.resolve('') });
  await expect(second).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('TEST_PORT') as string,
  });
});
