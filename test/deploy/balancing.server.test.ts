import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTokens } from '../../auth/tokens.ts';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createUserRepository } from '../../db/users.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { claimPort } from '../../lib/ports.ts';
import { exampleVersion } from '../db/examples.ts';
import { startTestPostgres, temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';
import { exampleModel, GOLDEN_ROWS } from '../serving/example-models.ts';
import { gatewayOf, NGINX, send } from './gateway-under-test.ts';

const CONNECTIONS = 20;
const SOON = { timeout: 180_000, interval: 100 };

let postgres: EmbeddedPostgres;
let home: TemporaryFolder;
let environment: NodeJS.ProcessEnv;
let authorization: string;
let ports: [number, number];
let serving: string[];
const children = new Map<number, ChildProcess>();

/** A database with a user who may predict and a registered model; what a serving process is started with. */
async function prepare(): Promise<void> {
  [postgres, home] = await Promise.all([startTestPostgres(), temporaryFolder('home')]);
  await migrate(postgres.url);
  const { db, close } = connect(postgres.url);
  const secret = randomBytes(48).toString('base64');
  const caller = { name: 'ada', email: 'ada@example.com', role: 'user', passwordHash: 'none' } as const;
  const user = await createUserRepository(db).create(caller);
  const tokens = createTokens({ secret, accessMinutes: 30, refreshDays: 7, now: () => new Date() });
  authorization = `Bearer ${await tokens.issue('access', user)}`;

  const store = createFolderStore(join(home.path, 'artifacts'));
  const { onnx, golden, signature } = await exampleModel();
  const { sha256: onnxSha256, bytes: onnxBytes } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  const row = { ...exampleVersion('churn', 'run-1'), inputExample: GOLDEN_ROWS[0]!, signature };
  await createModelRepository(db).registerVersion({ ...row, onnxSha256, onnxBytes, goldenRowsSha256 });
  await close();
  environment = {
    PATH: process.env['PATH'],
    ANNEAL_HOME: home.path,
    DATABASE_URL: postgres.url,
    JWT_SECRET_KEY: secret,
    MODEL_URI: 'models:/churn/1',
    RATE_LIMIT_PREDICT_PER_MINUTE: '10000000',
  };
}

/** A real serving process; returns when its model answers. */
async function startServing(port: number): Promise<void> {
  const child = spawn(process.execPath, ['--no-warnings', 'serving/main.ts'], {
    env: { ...environment, SERVING_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.set(port, child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  await vi.waitFor(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    expect(response?.status, output).toBe(200);
  }, SOON);
}

/** Of each request that the gateway passed on: the processes it asked, in turn. */
async function upstreamsIn(logFile: string): Promise<string[]> {
  const wholeLines = (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
  const lines = wholeLines.filter((line) => line.startsWith('{'));
  return lines.map((line) => (JSON.parse(line) as { upstream: string }).upstream).filter((upstream) => upstream !== '');
}

/** Predicts on so many connections until told to stop; keeps what became of every request. */
function predictOn(port: number, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const ledger = new Map<string, string>();
  let stopping = false;
  const predictOnce = async () => {
    const id = randomUUID();
    const headers = { authorization, 'content-type': 'application/json', 'x-request-id': id };
    ledger.set(id, 'no answer');
    try {
      const sent = request({ host: '127.0.0.1', port, path: '/api/v1/predict', method: 'POST', headers, agent });
      sent.end(JSON.stringify(GOLDEN_ROWS[0]));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const body = await text(response);
      ledger.set(
        id,
        response.statusCode === 200 && body.includes('probability') ? 'ok' : `${response.statusCode} ${body}`,
      );
    } catch (error) {
      ledger.set(id, (error as Error).message);
    }
  };
  const connection = async () => {
    while (!stopping) await predictOnce();
  };
  const running = Promise.all(Array.from({ length: connections }, connection));
  return {
    count: () => ledger.size,
    stop: async () => {
      stopping = true;
      await running;
      agent.destroy();
      return [...ledger.values()];
    },
  };
}

requireProgram(NGINX, (nginx) => {
  beforeAll(async () => {
    await prepare();
    ports = [await claimPort(0, 'SERVING_PORT'), await claimPort(0, 'SERVING_PORT')];
    serving = ports.map((port) => `127.0.0.1:${port}`);
    await Promise.all(ports.map(startServing));
  });
  afterAll(async () => {
    children.forEach((child) => child.kill('SIGKILL'));
    await postgres?.stop();
    await home?.remove();
  });

  test('two serving processes share the load; one dies by kill -9 and comes back, and no request fails', async () => {
    const [dying, staying] = serving as [string, string];
    const rates = { auth: 30, general: 6_000, predict: 10_000_000 };
    const { port, logFile } = await gatewayOf(nginx, { serving, rates });
    const load = predictOn(port, CONNECTIONS);
    await vi.waitFor(async () => {
      const upstreams = await upstreamsIn(logFile);
      for (const address of serving)
        expect(upstreams.filter((upstream) => upstream === address).length).toBeGreaterThan(100);
    }, SOON);

    const atDeath = load.count();
    children.get(ports[0])!.kill('SIGKILL');
    await delay(3_000); // the gateway looks every 2 s whether it is back
    await vi.waitFor(() => expect(load.count() - atDeath).toBeGreaterThan(500), SOON);
    const whileGone = load.count() - atDeath;
    const logged = (await upstreamsIn(logFile)).length;
    await startServing(ports[0]);
    const untilBack = load.count() - atDeath;
    await vi.waitFor(async () => {
      const since = (await upstreamsIn(logFile)).slice(logged);
      expect(since.filter((upstream) => upstream === dying).length).toBeGreaterThan(100);
    }, SOON);

    const outcomes = await load.stop();
    const upstreams = await upstreamsIn(logFile);
    const retried = upstreams.filter((upstream) => upstream.startsWith(`${dying}, `));
    console.info(`${outcomes.length} requests, ${whileGone} while one was gone, ${retried.length} asked of the other`);
    expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual([]);
    expect(whileGone).toBeGreaterThan(100);
    // Those under way at its death, and those that looked whether it is back: not every second one.
    expect(retried.length).toBeGreaterThan(0);
    expect(retried.length).toBeLessThan(untilBack / 4);
    expect(retried.every((upstream) => upstream.endsWith(staying))).toBe(true);
  }, 780_000);

  test('no spelling of a path reaches what a serving process shows only inside', async () => {
    const { port } = await gatewayOf(nginx, { serving });
    expect((await send({ port: ports[0], path: '/metrics' })).text).toContain('nodejs_');
    const paths = [
      '/metrics',
      '//metrics',
      '/%6detrics',
      '/metrics/',
      '/livez',
      '/readyz',
      '/boom',
      '/health/../metrics',
      '/health/..\\metrics',
      '/health\\..\\metrics',
      '/health/..%2fmetrics',
      '/health/%2e%2e/metrics',
      '/health/..;/metrics',
      '/api/v1/predict/../../../metrics',
      '/api/v1/predict/..\\..\\..\\metrics',
      '/serving/../metrics',
      '/serving/docs/..\\..\\metrics',
      '/serving/metrics',
      `http://127.0.0.1:${port}/metrics`,
    ];
    for (const path of paths) {
      const { status, text: body } = await send({ port, path });
      expect([path, status, body.includes('nodejs_')]).toEqual([path, 404, false]);
    }
  });
});
