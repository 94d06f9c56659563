import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { isAliveAs } from '../../lib/child-process.ts';
import { GOLDEN_ROWS } from './example-models.ts';
import {
  becomeReady,
  prepareServing,
  type ServingGround,
  type ServingProcess,
  startServingProcess,
} from './serving-under-test.ts';

const SOON = { timeout: 120_000, interval: 100 };
const isServing = (pid: number) => isAliveAs(pid, 'serving');
let ground: ServingGround;
let connection: Connection;
const started: ServingProcess[] = [];
beforeAll(async () => {
  ground = await prepareServing();
  connection = connect(ground.databaseUrl, { max: 1 });
});
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ exited }) => exited));
  await vi.waitFor(async () => expect(await workers()).toEqual([]), SOON);
});
afterAll(async () => {
  await connection?.close();
  await ground?.remove();
});

async function start(processes: number, env: Record<string, string> = {}) {
  const serving = startServingProcess({ ...ground.environment, ...env }, '--processes', String(processes));
  started.push(serving);
  const port = await serving.listening;
  const url = `http://127.0.0.1:${port}`;
  // On a connection of its own each, so that they are answered by different processes.
  const get = (path: string) => fetch(`${url}${path}`, { headers: { connection: 'close' } });
  const predict = async () => {
    const headers = { authorization: ground.authorization, 'content-type': 'application/json', connection: 'close' };
    const response = await fetch(`${url}/predict`, { method: 'POST', headers, body: JSON.stringify(GOLDEN_ROWS[0]) });
    await response.text();
    return response.status;
  };
  const ready = () => becomeReady(port, processes);
  await ready();
  return { ...serving, port, get, predict, ready };
}

/** Pids of the processes that serve, from what the port's folders say. */
async function workers(port?: number): Promise<number[]> {
  const root = join(ground.home, 'serving-cache');
  const ports = port === undefined ? await readdir(root).catch(() => []) : [String(port)];
  const folders = await Promise.all(
    ports.map(async (name) => (await readdir(join(root, name))).map((index) => join(root, name, index))),
  );
  const pids = await Promise.all(
    folders.flat().map(async (folder) => Number(await readFile(join(folder, 'pid'), 'utf8'))),
  );
  return pids.filter(isServing);
}

async function valuesOf(response: Response, name: string): Promise<{ process: string | undefined; value: number }[]> {
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => ({
    process: /process="([^"]*)"/.exec(line)?.[1],
    value: Number(line.slice(line.lastIndexOf(' '))),
  }));
}

/** When both processes know what all have counted: the answer of one that is slow is not waited for. */
async function predictionsCounted(get: (path: string) => Promise<Response>, value: number): Promise<void> {
  await vi.waitFor(async () => {
    for (let scrape = 0; scrape < 2; scrape++) {
      const counted = await valuesOf(await get('/metrics'), 'anneal_predictions_total');
      expect(counted).toEqual([{ process: undefined, value }]);
    }
  }, SOON);
}

test('two processes share a port, each a node of the handshake with a folder of its own, and are one to a scrape', async () => {
  const { child, exited, port, get, predict } = await start(2);
  const pids = await workers(port);
  expect(pids).toHaveLength(2);
  await vi.waitFor(async () => {
    const nodes = await createEndpointRepository(connection.db).liveNodes();
    expect(nodes.map((node) => Number(node.split('-').at(-1))).sort()).toEqual(pids.sort());
  }, SOON);

  for (let request = 0; request < 10; request++) expect(await predict()).toBe(200);
  await predictionsCounted(get, 10);
  const loaded = await valuesOf(await get('/metrics'), 'anneal_model_info');
  expect(loaded.map(({ process }) => process).sort()).toEqual(['0', '1']);
  const memory = await valuesOf(await get('/metrics'), 'process_resident_memory_bytes');
  expect(memory.map(({ process }) => process).sort()).toEqual(['0', '1', 'primary']);
  console.info(memory.map(({ process, value }) => `${process}: ${Math.round(value / 2 ** 20)} MiB`).join(', '));

  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(pids.filter(isServing)).toEqual([]);
  expect(await createEndpointRepository(connection.db).liveNodes()).toEqual([]);
});

test('a process that dies is started again; meanwhile the other answers, and no sum of counts goes down', async () => {
  const { port, get, predict, output, ready } = await start(2);
  for (let request = 0; request < 10; request++) expect(await predict()).toBe(200);
  await predictionsCounted(get, 10);
  const [dying, other] = await workers(port);
  process.kill(dying!, 'SIGKILL');
  await vi.waitFor(() => expect(output()).toMatch(/serving process \d ended unexpectedly/), SOON);
  // The next one may run already.
  const left = await workers(port);
  expect([left.includes(dying!), left.includes(other!)]).toEqual([false, true]);
  for (let request = 0; request < 4; request++) expect(await predict()).toBe(200);
  await vi.waitFor(() => expect(output()).toMatch(/serving process \d runs again/), SOON);
  await ready();
  expect(await workers(port)).toHaveLength(2);
  for (let request = 0; request < 4; request++) expect(await predict()).toBe(200);
  await predictionsCounted(get, 18);
  expect(await valuesOf(await get('/metrics'), 'anneal_serving_process_restarts_total')).toMatchObject([{ value: 1 }]);
});

test('processes whose starter is killed end by themselves', async () => {
  const { child, port } = await start(2);
  const pids = await workers(port);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(pids.filter(isServing)).toEqual([]), SOON);
});

test('a taken port, a wrong number and a process that cannot start end all of it, saying why', async () => {
  const { port } = await start(2);
  const failing = [
    startServingProcess({ ...ground.environment, SERVING_PORT: String(port) }, '--processes', '2'),
    startServingProcess(ground.environment, '--processes', 'none'),
    startServingProcess({ ...ground.environment, JWT_SECRET_KEY: '' }, '--processes', '2'),
  ];
  started.push(...failing);
  const statuses = await Promise.all(failing.map(({ exited }) => exited));
  expect(statuses).toEqual([1, 1, 1]);
  const reasons = [
    `port ${port} is taken by another program; choose another with SERVING_PORT`,
    'SERVING_PROCESSES',
    'JWT_SECRET_KEY',
  ];
  // What it said last may be read after its end.
  for (const [index, { output }] of failing.entries())
    await vi.waitFor(() => expect(output()).toContain(reasons[index]), SOON);
});
