import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { churnRows } from '../../pipelines/churn.ts';
import { startExtraWorker } from './extra-worker.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const KILLS = 50;
const SETTINGS = { BUFFER_SIZE: '60', REPORT_FREQUENCY: '20' };

let platform: TestPlatform;
let database: Connection;
beforeAll(async () => {
  platform = await startTestPlatform(SETTINGS);
  database = connect(platform.databaseUrl);
  const dataset = await platform.uploadSample('churn', 3000);
  const run = await platform.train({ pipeline: 'churn', dataset_version: dataset });
  expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED', promoted: true });
});
afterAll(async () => {
  await database?.close();
  await platform?.stop();
});

/** A worker that is killed soon after it is ready, and again, until `isEnough`. */
async function killAgainAndAgain(isEnough: () => boolean): Promise<void> {
  while (!isEnough()) {
    const worker = await startExtraWorker(platform, 'monitoring', SETTINGS);
    await delay(randomInt(100, 2500));
    worker.kill('SIGKILL');
    await worker.exited;
  }
}

/** The platform starts its own worker again by itself: it must not live any longer than the others. */
async function killPlatformsOwn(isEnough: () => boolean): Promise<void> {
  let killed: number | undefined;
  while (!isEnough()) {
    const pid = platform.pids()['worker-monitoring']!;
    try {
      // Once: afterwards another program may have its number.
      if (pid !== killed) process.kill(pid, 'SIGKILL');
    } catch {
      // It is dead already.
    }
    killed = pid;
    await delay(randomInt(1000, 3000));
  }
}

async function sendUntil(isEnough: () => boolean): Promise<number> {
  let sent = 0;
  for (let seed = 1; !isEnough(); seed++) {
    const rows = Array.from(churnRows(randomInt(5, 60), seed), ({ churned: _, ...row }) => row);
    const { status } = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows }),
    });
    expect(status).toBe(200);
    sent += rows.length;
    await delay(150);
  }
  return sent;
}

test(
  'a monitoring worker killed 50 times while windows flow: each window once, in order, and every prediction in one',
  { timeout: 1_800_000 },
  async () => {
    let kills = 0;
    const isEnough = () => kills >= KILLS;
    const counted = () => killAgainAndAgain(() => kills++ >= KILLS);
    const [sent] = await Promise.all([sendUntil(isEnough), counted(), counted(), killPlatformsOwn(isEnough)]);

    const survivor = await startExtraWorker(platform, 'monitoring', SETTINGS);
    const reportedRows = async () => {
      const [found] = await database.sql<[{ rows: number }]>`
      select coalesce(sum(rows), 0)::int as rows from drift_windows join drift_reports using (endpoint, sequence)`;
      return found.rows;
    };
    // How long the backlog is, and how fast it drains, is up to the machine.
    let reported = await reportedRows();
    for (let deadline = Date.now() + 240_000; reported < sent && Date.now() < deadline;) {
      await delay(500);
      const before = reported;
      reported = await reportedRows();
      if (reported > before) deadline = Date.now() + 240_000;
    }
    survivor.kill('SIGTERM');

    const windows = await database.sql<{ sequence: number; rows: number; after: string; until: string }[]>`
    select sequence, rows, after_position as after, until_position as until
    from drift_windows join drift_reports using (endpoint, sequence) order by computed_at, sequence`;
    expect(windows.map(({ sequence }) => sequence)).toEqual(windows.map((_, index) => index + 1));
    expect(windows.length).toBeGreaterThan(10);
    expect(windows.map(({ after }) => after)).toEqual(['0', ...windows.slice(0, -1).map(({ until }) => until)]);
    expect(windows.reduce((sum, { rows }) => sum + rows, 0)).toBe(sent);
    const [found] = await database.sql<[{ predictions: number; ids: number }]>`
    select count(*)::int as predictions, count(distinct p.id)::int as ids
    from drift_windows w join predictions p on p.endpoint = w.endpoint and p.model = w.model and p.version = w.version
      and p.position > w.after_position and p.position <= w.until_position`;
    expect(found).toEqual({ predictions: sent, ids: sent });
    const [unfinished] = await database.sql`select sequence from drift_windows where finished_at is null`;
    expect(unfinished).toBeUndefined();
  },
);
