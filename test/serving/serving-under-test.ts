import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, vi } from 'vitest';
import { createTokens } from '../../auth/tokens.ts';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createUserRepository } from '../../db/users.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { exampleVersion } from '../db/examples.ts';
import { startTestPostgres, temporaryFolder } from '../platform.ts';
import { exampleModel, GOLDEN_ROWS } from './example-models.ts';

export type ServingGround = Awaited<ReturnType<typeof prepareServing>>;

/** A database with a user who may predict and a registered model, and the environment of serving processes that pin it. */
export async function prepareServing() {
  const [postgres, home] = await Promise.all([startTestPostgres(), temporaryFolder('home')]);
  await migrate(postgres.url);
  const { db, close } = connect(postgres.url);
  const secret = randomBytes(48).toString('base64');
  const caller = { name: 'ada', email: 'ada@example.com', role: 'user', passwordHash: 'none' } as const;
  const user = await createUserRepository(db).create(caller);
  const tokens = createTokens({ secret, accessMinutes: 60, refreshDays: 7, now: () => new Date() });

  const store = createFolderStore(join(home.path, 'artifacts'));
  const { onnx, golden, signature } = await exampleModel();
  const { sha256: onnxSha256, bytes: onnxBytes } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  const row = { ...exampleVersion('churn', 'run-1'), inputExample: GOLDEN_ROWS[0]!, signature };
  await createModelRepository(db).registerVersion({ ...row, onnxSha256, onnxBytes, goldenRowsSha256 });
  await close();
  return {
    home: home.path,
    databaseUrl: postgres.url,
    authorization: `Bearer ${await tokens.issue('access', user)}`,
    environment: {
      PATH: process.env['PATH'],
      ANNEAL_HOME: home.path,
      DATABASE_URL: postgres.url,
      JWT_SECRET_KEY: secret,
      MODEL_URI: 'models:/churn/1',
      RATE_LIMIT_PREDICT_PER_MINUTE: '10000000',
      SHUTDOWN_GRACE_SECONDS: '120', // a busy machine is no reason to end in disorder
    },
    remove: async (): Promise<void> => {
      await postgres.stop();
      await home.remove();
    },
  };
}

export interface ServingProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  /** The port, when it answers. */
  readonly listening: Promise<number>;
  readonly output: () => string;
}

/** `node serving/cluster/main.ts` on any port. */
export function startServingProcess(env: NodeJS.ProcessEnv, ...args: readonly string[]): ServingProcess {
  const child = spawn(process.execPath, ['--no-warnings', 'serving/cluster/main.ts', ...args], {
    env: { SERVING_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (data) => (output += String(data)));
  const exited = once(child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal as string));
  const listening = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      // Where there are several processes, each says it too.
      const port = /^(?!.*"process":).*"port":(\d+).*ready for requests/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    void exited.then(() => reject(new Error(output)));
  });
  listening.catch(() => undefined);
  return { child, exited, listening, output: () => output };
}

/** Waits until every process behind the port has a model. */
export async function becomeReady(port: number, processes: number): Promise<void> {
  const ready = async () => {
    for (let asked = 0; asked < 3 * processes; asked++) expect(await readiness(port)).toBe(200);
  };
  await vi.waitFor(ready, { timeout: 120_000, interval: 50 });
}

/** On a connection of its own, so that each process is asked in its turn. */
async function readiness(port: number): Promise<number | undefined> {
  const asked = request({ host: '127.0.0.1', port, path: '/readyz', agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await text(response);
  return response.statusCode;
}
