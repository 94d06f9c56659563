import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, vi } from 'vitest';
import { createDeploymentActivities } from '../../../activities/deployment.ts';
import { createTokens } from '../../../auth/tokens.ts';
import { connect } from '../../../db/connect.ts';
import { createEndpointRepository } from '../../../db/endpoints.ts';
import { migrate } from '../../../db/migrate.ts';
import { createModelRepository } from '../../../db/models.ts';
import { createUserRepository } from '../../../db/users.ts';
import { createFolderStore } from '../../../lib/artifact-store/folder.ts';
import { isAlive, isAliveAs } from '../../../lib/child-process.ts';
import { claimPort } from '../../../lib/ports.ts';
import { exampleVersion } from '../../db/examples.ts';
import { temporaryFolder } from '../../platform.ts';
import { type ExampleModel, GOLDEN_ROWS } from '../example-models.ts';
import { type ServingProcess, startServingProcess } from '../serving-under-test.ts';
import { createLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { answersOf } from './rows.ts';

export const ENDPOINT = 'churn';
const SOON = { timeout: 300_000, interval: 100 };
const SHIPPED = { timeout: 300_000, interval: 500 };
export type Ground = Awaited<ReturnType<typeof openGround>>;

/** A database and a home for serving processes on one port, with what deploys to them, predicts, and counts. */
export async function openGround(server: string, processes: number) {
  const databaseUrl = await createDatabase(server);
  const home = await temporaryFolder('home');
  const { db, sql, close } = connect(databaseUrl, { max: 3 });
  const caller = { name: 'ada', email: 'ada@example.com', role: 'user', passwordHash: 'none' } as const;
  const user = await createUserRepository(db).create(caller);
  const secret = randomBytes(48).toString('base64');
  const tokens = createTokens({ secret, accessMinutes: 600, refreshDays: 7, now: () => new Date() });
  const authorization = `Bearer ${await tokens.issue('access', user)}`;
  const store = createFolderStore(join(home.path, 'artifacts'));
  const models = createModelRepository(db);
  const port = await claimPort(0, 'SERVING_PORT');
  const environment = {
    PATH: process.env['PATH'],
    ANNEAL_HOME: home.path,
    DATABASE_URL: databaseUrl,
    JWT_SECRET_KEY: secret,
    SERVING_PORT: String(port),
    RATE_LIMIT_PREDICT_PER_MINUTE: '1000000000',
    SHUTDOWN_GRACE_SECONDS: '120', // a busy machine is no reason to end in disorder
  };
  const answers = new Map<number, readonly number[]>();
  const ledger = createLedger((version) => answers.get(version));
  let serving: ServingProcess | undefined;
  let runs = 0;

  /** Pids of the processes that serve. */
  const pids = async (): Promise<number[]> => {
    const folder = join(home.path, 'serving-cache', String(port));
    const names = (await readdir(folder)).sort();
    const all = await Promise.all(names.map(async (name) => Number(await readFile(join(folder, name, 'pid'), 'utf8'))));
    return all.filter((pid) => isAliveAs(pid, 'serving'));
  };
  /** When every process serves. */
  const ready = async () => {
    await serving!.listening;
    await vi
      .waitFor(async () => {
        expect(await pids(), serving!.output()).toHaveLength(processes);
        for (let seen = 0; seen < 3 * processes; seen++) {
          const response = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: 'close' } });
          expect(response.status).toBe(200);
        }
      }, SOON)
      .catch((error: unknown) => {
        // A test that is tried again shows no error.
        console.error(`not ready: ${String(error)}`, serving!.output());
        throw error;
      });
  };
  const start = async () => {
    serving = startServingProcess(environment, '--processes', String(processes));
    await serving.listening;
  };

  /** Registers a version, and stores its artifacts. */
  const register = async ({ onnx, golden, signature }: ExampleModel, change: { onnxSha256?: string } = {}) => {
    const { sha256: onnxSha256, bytes: onnxBytes } = await store.put(onnx);
    const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
    const row = { ...exampleVersion(ENDPOINT, `trained-${++runs}`), inputExample: GOLDEN_ROWS[0]!, signature };
    const { version } = await models.registerVersion({ ...row, onnxSha256, onnxBytes, goldenRowsSha256, ...change });
    return version;
  };

  /** The deployment stage, as the workflow runs it. Answers the revision. */
  const deploy = async (version: number): Promise<number> => {
    const { prepareDeployment, awaitNodesReady, activateDeployment, awaitNodesServing } = createDeploymentActivities({
      ...createEndpointRepository(db),
      productionVersion: (name) => models.versionOf(name, 'production').catch(() => null),
      traceparent: () => null,
      timing: { pollMs: 40, aliveGraceMs: SOON.timeout, timeoutMs: SOON.timeout },
    });
    const input = { endpoint: ENDPOINT, model: { name: ENDPOINT, version }, run_id: `deployed-${++runs}` };
    const prepared = await run(prepareDeployment, input);
    const revision = { endpoint: ENDPOINT, revision: prepared.revision };
    await run(awaitNodesReady, revision);
    await run(activateDeployment, { ...input, ...prepared });
    await run(awaitNodesServing, revision);
    return prepared.revision;
  };

  return {
    ledger,
    start,
    ready,
    pids,
    deploy,
    register,
    exited: () => serving!.exited,
    output: () => serving!.output(),
    /** Registers a version that answers as this model. */
    registerGood: async (model: ExampleModel): Promise<number> => {
      const version = await register(model);
      answers.set(version, await answersOf(model));
      return version;
    },
    startLoad: () => startLoad({ ledger, port, endpoint: ENDPOINT, authorization }),
    kill: (signal: NodeJS.Signals): void => void serving!.child.kill(signal),

    /** When every acknowledged prediction is in the table, ends the processes, and compares. */
    settle: async () => {
      await vi.waitFor(async () => {
        const [row] = await sql<{ count: number }[]>`select count(*)::int from predictions`;
        expect(row!.count).toBeGreaterThanOrEqual(ledger.size());
        expect((await ledger.compare(sql)).differences.missing).toEqual([]);
      }, SHIPPED);
      serving!.child.kill('SIGTERM');
      expect(await serving!.exited).toBe(0);
      return await ledger.compare(sql);
    },
    close: async (): Promise<void> => {
      const left = await pids();
      serving?.child.kill('SIGKILL');
      await serving?.exited;
      for (const pid of left.filter(isAlive)) process.kill(pid, 'SIGKILL');
      await close();
      await home.remove();
    },
  };
}

async function createDatabase(server: string): Promise<string> {
  const name = `ledger_${randomBytes(4).toString('hex')}`;
  const { sql, close } = connect(server, { max: 1 });
  await sql`create database ${sql(name)}`;
  await close();
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href);
  return url.href;
}

const run = <P extends unknown[], R>(activity: (...args: P) => Promise<R>, ...args: P): Promise<R> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);
