import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres, temporaryFolder, type TemporaryFolder } from '../platform.ts';

let postgres: EmbeddedPostgres;
let connection: Connection;
let home: TemporaryFolder;
const children: ChildProcess[] = [];
beforeAll(async () => {
  [postgres, home] = await Promise.all([startTestPostgres(), temporaryFolder('home')]);
  await migrate(postgres.url);
  connection = connect(postgres.url);
});
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
  await home?.remove();
});

interface Line {
  readonly msg: string;
  readonly port?: number;
}
/** `node serving/main.ts` with its log lines. */
function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--no-warnings', 'serving/main.ts'], {
    env: {
      PATH: process.env['PATH'],
      ANNEAL_HOME: home.path,
      DATABASE_URL: postgres.url,
      JWT_SECRET_KEY: 'a-key-for-tests-only-of-more-than-32-characters',
      SERVING_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  child.stderr.on('data', (data) => (output += String(data)));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const listening = new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (text) => {
      output += text;
      const line = JSON.parse(text) as Line;
      if (line.port !== undefined) resolve(line.port);
    });
    void exited.then(() => reject(new Error(output)));
  });
  listening.catch(() => undefined);
  return { child, exited, listening, output: () => output };
}

test('the process says that it is alive but not ready, takes part in the handshake, and leaves it on SIGTERM', async () => {
  const { child, exited, listening } = startProcess({});
  const url = `http://127.0.0.1:${await listening}`;
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not_ready', reason: 'no endpoint has a model yet' },
  ]);
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ model_uri: 'models:/churn@production' });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('nodejs_eventloop_lag_seconds');
  const endpoints = createEndpointRepository(connection.db);
  expect(await endpoints.liveNodes()).toEqual([expect.stringMatching(new RegExp(`-${child.pid}$`))]);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(await endpoints.liveNodes()).toEqual([]);
});

test('a taken port is an error that names port and variable', async () => {
  const first = startProcess({});
  const port = await first.listening;
  const second = startProcess({ SERVING_PORT: String(port) });
  expect(await second.exited).not.toBe(0);
  expect(second.output()).toContain(`port ${port} is taken by another program; choose another with SERVING_PORT`);
  const live = await createEndpointRepository(connection.db).liveNodes();
  expect(live).toEqual([expect.stringMatching(new RegExp(`-${first.child.pid}$`))]);
});
