import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isAliveAs, predecessorEnded, readPid, startProgram, waitUntilReady } from './child-process.ts';
import { claimPort } from './ports.ts';
import { endOrphan, ensureDatabase, lockFileOf, passwordFileOf, preparePostgres } from './postgres-cluster.ts';

export interface EmbeddedPostgresOptions {
  /** Folder of the cluster, the password and the log. Made when absent. */
  readonly dataDir: string;
  /** On loopback; 0 takes any free port. */
  readonly port: number;
  /** False trades safety in a power cut for speed: for tests. */
  readonly durable?: boolean;
}
export interface EmbeddedPostgres {
  /** Holds the password: never log it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the server has ended, with its exit code. */
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
}

const DATABASE = 'anneal';
const HOST = '127.0.0.1';

/** Starts real Postgres on a data folder, which keeps its content between starts. Throws CONFLICT (port), UNAVAILABLE. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { durable = true } = options;
  const folder = resolve(options.dataDir);
  const pidFile = join(folder, 'postgres-guard.pid');
  await predecessorEnded(pidFile);
  await endOrphan(folder);
  const port = await claimPort(options.port, 'POSTGRES_PORT');
  const password = randomBytes(24).toString('hex');
  const prepared = await preparePostgres({ folder, host: HOST, port, user: 'postgres', password, durable });
  const program = { name: 'Postgres', logFile: join(folder, 'postgres.log'), pidFile, ...prepared };
  const server = await startProgram(program);
  const url = urlOf(await readPassword(folder), port);
  await waitUntilReady(server, program, () => ensureDatabase(url));
  return { url, port, ...server };
}

/** The URL of a server that another process started on this folder; null when none runs. Holds the password. */
export async function runningPostgresUrl(dataDir: string): Promise<string | null> {
  const lockFile = lockFileOf(dataDir);
  const pid = readPid(lockFile);
  if (pid === undefined || !isAliveAs(pid, 'postgres')) return null;
  const port = Number((await readFile(lockFile, 'utf8')).split('\n')[3]); // pid, folder, start time, port
  return urlOf(await readPassword(dataDir), port);
}

const readPassword = async (folder: string) => (await readFile(passwordFileOf(folder), 'utf8')).trim();
const urlOf = (password: string, port: number) => `postgres://postgres:${password}@${HOST}:${port}/${DATABASE}`;
