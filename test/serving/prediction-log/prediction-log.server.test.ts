import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connect, type Connection } from '../../../db/connect.ts';
import { migrate } from '../../../db/migrate.ts';
import { createPredictionRepository } from '../../../db/predictions.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../lib/embedded-postgres.ts';
import { predictionId } from '../../../serving/prediction-id.ts';
import { startPredictionLog } from '../../../serving/prediction-log/start.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';
import { exampleLine } from './examples.ts';
import { temporarySpool } from './spools.ts';

const PROGRAM = join(import.meta.dirname, 'committing-process.ts');
const SOON = { timeout: 60_000, interval: 100 };
const EACH = 201; // ids that a process acknowledges before it is killed

let folder: TemporaryFolder;
let postgres: EmbeddedPostgres;
let connection: Connection;
const startPostgres = (port: number) => startEmbeddedPostgres({ dataDir: folder.path, port, durable: false });
beforeAll(async () => {
  folder = await temporaryFolder('postgres');
  postgres = await startPostgres(0);
  await migrate(postgres.url);
  connection = connect(postgres.url);
});
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
  await folder?.remove();
});
beforeEach(() => connection.sql`truncate predictions`);

const idsInTable = async () =>
  (await connection.sql<{ id: string }[]>`select id from predictions order by id`).map(({ id }) => id);
async function startLog(changes: { folder?: string } = {}) {
  const { settings } = await temporarySpool();
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const { insert } = createPredictionRepository(connection.db);
  return { ...startPredictionLog({ ...settings, ...changes, insert, log }), calls: log };
}

/**
 * Runs the committing process for `ms` and until it has acknowledged enough, then kills it with SIGKILL. Answers the ids
 * that it acknowledged.
 */
async function commitUntilKilled(spool: string, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, spool, postgres.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ended = new Promise((resolve) => child.on('close', resolve));
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  child.stdout.on('data', (text) => (output += String(text)));
  await Promise.race([begun, ended]);
  await delay(ms);
  await vi.waitFor(() => expect(output.split('\n').length).toBeGreaterThan(EACH), SOON);
  expect(child.exitCode).toBeNull();
  child.kill('SIGKILL');
  await ended;
  return output.split('\n').slice(0, -1); // the last line may be torn
}

test('kill -9 ×5 while it commits: all that was acknowledged is in the table, nothing twice', async () => {
  const { folder: spool } = await temporarySpool();
  const acknowledged: string[] = [];
  for (const ms of [50, 300, 700, 1100, 1500]) acknowledged.push(...(await commitUntilKilled(spool, ms)));
  expect(acknowledged.length).toBeGreaterThan(1000);
  const running = await startLog({ folder: spool });
  await vi.waitFor(async () => {
    const stored = new Set(await idsInTable());
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  }, SOON);
  await vi.waitFor(() => expect(running.state()).toMatchObject({ pendingBytes: 0 }), SOON);
  const stored = await idsInTable();
  expect(new Set(stored).size).toBe(stored.length);
  expect(running.state().rejected).toBe(0);
  await running.stop();
});

test('Postgres is stopped for a while: predictions are taken all the time, and all are there afterwards', async () => {
  const running = await startLog();
  const ids: string[] = [];
  const commit = async (count: number) => {
    const fresh = Array.from({ length: count }, () => predictionId());
    await Promise.all(fresh.map((id) => running.log.commit(exampleLine({ id }))));
    ids.push(...fresh);
  };
  await commit(10);
  await vi.waitFor(async () => expect(await idsInTable()).toHaveLength(10), SOON);
  await postgres.stop();
  await commit(3000);
  await vi.waitFor(() => expect(running.calls.warn).toHaveBeenCalledTimes(1), SOON);
  await commit(10);
  expect(running.state().pendingBytes).toBeGreaterThan(3000 * 200);
  expect(running.calls.warn.mock.calls[0]).toEqual([
    { err: expect.objectContaining({ code: 'UNAVAILABLE' }) as unknown },
    expect.any(String),
  ]);
  postgres = await startPostgres(postgres.port);
  await vi.waitFor(() => expect(running.state()).toMatchObject({ pendingBytes: 0, shipped: 3020 }), SOON);
  expect(await idsInTable()).toEqual(ids.sort());
  await running.stop();
});

test('a poisoned line is made storable or put aside, and those around it are stored', async () => {
  const running = await startLog();
  const ids = Array.from({ length: 50 }, () => predictionId());
  const lines = ids.map((id) => exampleLine({ id }));
  lines[7] = exampleLine({ id: ids[7]!, features: { plan: 'a \0 \udc00 z' } });
  lines[30] = '{"id":"torn in the middle\n';
  lines[31] = exampleLine({ id: 'no-uuid' });
  await running.log.commit(lines.join(''));
  await vi.waitFor(() => expect(running.state()).toMatchObject({ shipped: 48, rejected: 2, pendingBytes: 0 }), SOON);
  expect(await idsInTable()).toEqual(ids.filter((_, index) => index !== 30 && index !== 31).sort());
  const { prediction } = await createPredictionRepository(connection.db).get(ids[7]!);
  expect(prediction.features).toEqual({ plan: 'a \u{fffd} \u{fffd} z' });
  expect(running.calls.error).toHaveBeenCalledTimes(2);
  expect(JSON.stringify(running.calls.error.mock.calls)).not.toMatch(/torn in the middle|no-uuid/);
  await running.stop();
});
