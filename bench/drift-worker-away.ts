import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Connection } from '../db/connect.ts';
import { churnRows } from '../pipelines/churn.ts';
import { startTestPlatform, type TestPlatform } from '../test/end-to-end/platform.ts';
import { type BenchOptions, type BenchOutcome, lessIsBetter, moreIsBetter } from './report.ts';
import type { FeatureRow } from './serving/data.ts';
import { latenciesOf, percentile } from './serving/open-loop.ts';
import { annealRow } from './serving/wires.ts';

const PER_SECOND = 200;
const PERIOD_SECONDS = 60;
const SETTINGS = {
  SERVING_PROCESSES: '1',
  RATE_LIMIT_PREDICT_PER_MINUTE: '1000000000',
  ACCESS_TOKEN_EXPIRE_MINUTES: '600',
  REPORT_FREQUENCY: String(PERIOD_SECONDS),
};
/** A tenth more is "unchanged". */
const UNCHANGED = 1 / 1.1;

/**
 * What it does to predictions when the monitoring worker is stopped, and what becomes of the backlog. The control is the
 * same load in the same run while the worker works, half of it before and half of it after.
 */
export async function benchDriftWorkerAway({ quick }: BenchOptions): Promise<BenchOutcome> {
  const { parts, seconds } = quick ? { parts: 2, seconds: 7 } : { parts: 4, seconds: 150 };
  const platform = await startTestPlatform(SETTINGS);
  const database = connect(platform.databaseUrl, { max: 1 });
  try {
    await serveChurn(platform);
    const measure = (times: number) => p99s(platform, times, seconds);
    await p99s(platform, 1, 3); // warm-up
    const before = await measure(parts / 2);
    const away = await whileStopped(platform.pids()['worker-monitoring']!, () => measure(parts));
    const backlog = await drained(database);
    const after = await measure(parts / 2);
    return { name: 'drift-isolation', rounds: parts, rows: rowsOf({ ...backlog, away, control: [...before, ...after], awaySeconds: parts * seconds }) }; // prettier-ignore
  } finally {
    await database.close();
    await platform.stop();
  }
}

async function serveChurn(platform: TestPlatform): Promise<void> {
  const dataset = await platform.uploadSample('churn', 10_000);
  const { state } = await platform.finished(await platform.train({ pipeline: 'churn', dataset_version: dataset }));
  if (state !== 'COMPLETED') throw new Error(`the training run ended ${state}`);
}

/** Each is of that many seconds. */
async function p99s({ urls, token }: TestPlatform, times: number, seconds: number): Promise<number[]> {
  const rows = Array.from(churnRows(1000, 5), ({ churned: _, ...row }) => row as FeatureRow);
  const server = { url: urls.serving, headers: { authorization: `Bearer ${token}` }, row: annealRow('churn') };
  const found: number[] = [];
  for (let time = 0; time < times; time++)
    found.push(percentile(await latenciesOf(server, PER_SECOND, seconds, rows), 0.99));
  return found;
}

async function whileStopped<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Waits until all predictions are in a window that has its report, or nothing has come of it for two periods. */
async function drained({ sql }: Connection) {
  const count = async () => {
    const [found] = await sql<[{ sent: number; reported: number }]>`select
      (select count(*)::int from predictions) as sent,
      (select coalesce(sum(rows), 0)::int from drift_windows join drift_reports using (endpoint, sequence)) as reported`;
    return found;
  };
  const started = performance.now();
  let found = await count();
  for (let last = started; found.reported < found.sent;) {
    await delay(500);
    const next = await count();
    if (next.reported > found.reported) last = performance.now();
    if (performance.now() - last > 2 * PERIOD_SECONDS * 1000) break;
    found = next;
  }
  return { ...found, drainSeconds: (performance.now() - started) / 1000 };
}

interface Measured {
  readonly away: readonly number[];
  readonly control: readonly number[];
  readonly awaySeconds: number;
  readonly sent: number;
  readonly reported: number;
  readonly drainSeconds: number;
}
const rowsOf = ({ away, control, awaySeconds, sent, reported, drainSeconds }: Measured) => [
  moreIsBetter(
    {
      what: 'predictions in a report after the backlog',
      unit: 'rows',
      ours: [reported],
      peer: [sent],
      peer_name: 'sent',
    },
    1,
  ),
  lessIsBetter(
    {
      what: `1 row, 99 % answered in, monitoring worker stopped, ${PER_SECOND} rows/s`,
      unit: 'ms',
      ours: away,
      peer: control,
      peer_name: 'worker works',
    },
    UNCHANGED,
  ),
  // The last rows of a backlog wait for the end of a period.
  lessIsBetter({
    what: 'backlog of a stopped monitoring worker gone after',
    unit: 's',
    ours: [drainSeconds],
    peer: [awaySeconds],
    peer_name: 'stopped for',
  }),
];
