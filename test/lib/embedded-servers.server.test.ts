import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import postgres from 'postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isAlive } from '../../lib/child-process.ts';
import { startEmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { findTemporal, startTemporalServer } from '../../lib/temporal-server.ts';
import { temporaryFolder } from '../platform.ts';

async function folder() {
  const { path, remove } = await temporaryFolder('servers');
  onTestFinished(remove);
  return path;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

/** A process that starts the server and is then killed in the hardest way. Returns the server's pid. */
async function startAndKillParent(kind: 'postgres' | 'temporal', path: string): Promise<number> {
  const parent = fork(join(import.meta.dirname, 'guarded-parent.ts'), [kind, path], { execArgv: ['--no-warnings'] });
  const [{ pid }] = (await once(parent, 'message')) as [{ pid: number }];
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  return pid;
}

test.each(['postgres', 'temporal'] as const)('kill -9 of the parent leaves no %s behind', async (kind) => {
  const pid = await startAndKillParent(kind, await folder());
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 60_000 });
});

test('a second Postgres on the same folder finds the data, even right after kill -9 of the parent', async () => {
  const path = await folder();
  const first = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  await query(first.url, 'create table kept (a int); insert into kept values (42)');
  await first.stop();
  await startAndKillParent('postgres', path);
  const second = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  onTestFinished(second.stop);
  expect(await query(second.url, 'select a from kept')).toEqual([{ a: 42 }]);
});

test('the lock file of a crashed Postgres does not keep a new one from starting', async () => {
  const path = await folder();
  const first = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  const lockFile = join(path, 'cluster', 'postmaster.pid');
  const lines = (await readFile(lockFile, 'utf8')).split('\n');
  await query(first.url, 'create table kept (a int)');
  const children = await readFile(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').catch(() => '');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  // They see after it that it has ended, and until then its shared memory is in use.
  const left = children.split(' ').filter(Boolean).map(Number);
  await vi.waitFor(() => expect(left.filter(isAlive)).toEqual([]), { timeout: 60_000 });
  // The crashed server's pid now belongs to somebody else, here to this test.
  await writeFile(lockFile, [process.pid, ...lines.slice(1)].join('\n'));
  const second = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  onTestFinished(second.stop);
  expect(await query(second.url, 'select * from kept')).toEqual([]);
});

test('Postgres asks for the password, which only its owner can read', async () => {
  const path = await folder();
  const { url, stop } = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  onTestFinished(stop);
  const wrong = new URL(url);
  wrong.password = 'wrong';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  expect((await stat(join(path, 'password'))).mode & 0o777).toBe(0o600);
});

test('Postgres runs below a folder that is closed to other users, also for root', async () => {
  const path = join(await folder(), 'closed');
  await mkdir(path, { mode: 0o700 });
  const { url, stop } = await startEmbeddedPostgres({ dataDir: join(path, 'postgres'), port: 0, durable: false });
  onTestFinished(stop);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a second Temporal on the same file finds its search attributes and namespaces', async () => {
  const path = await folder();
  const program = await findTemporal();
  const options = { program, dataFile: join(path, 'temporal.db'), port: 0, uiPort: 0 };
  const first = await startTemporalServer({ ...options, searchAttributes: ['AnnealStage'], namespaces: ['team'] });
  await first.stop();
  const second = await startTemporalServer({ ...options, searchAttributes: ['AnnealStage'], namespaces: ['team'] });
  onTestFinished(second.stop);
  const connection = await Connection.connect({ address: second.address });
  onTestFinished(() => connection.close());
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'team' });
  expect(Object.keys(customAttributes)).toContain('AnnealStage');
  // The UI may open its door after the server.
  await vi.waitFor(async () => expect((await fetch(second.uiUrl)).status).toBe(200), { timeout: 60_000 });
});

test('a taken port is named before Temporal starts', async () => {
  const path = await folder();
  const first = await startEmbeddedPostgres({ dataDir: path, port: 0, durable: false });
  onTestFinished(first.stop);
  const options = { program: await findTemporal(), dataFile: join(path, 'temporal.db'), uiPort: 0 };
  await expect(startTemporalServer({ ...options, port: first.port })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('TEMPORAL_PORT') as string,
  });
});

test('a server that does not start says what its log says', async () => {
  const path = await folder();
  await expect(
    startTemporalServer({ program: '/bin/sh', dataFile: join(path, 'temporal.db'), port: 0, uiPort: 0 }),
  ).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/ended with status[^]*server/) as string,
  });
});
