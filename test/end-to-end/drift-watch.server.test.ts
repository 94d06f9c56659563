import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../db/connect.ts';
import type { RawRow } from '../../ml/signature.ts';
import { churnRows, DEARER_MARKET } from '../../pipelines/churn.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const BUFFER = 500;
const PERIOD_SECONDS = 30;

interface Reports {
  readonly items: readonly {
    readonly sequence: number;
    readonly rows: number;
    readonly judged: boolean;
    readonly drifted: boolean;
    readonly prediction_drifted: boolean;
    readonly last_at: string;
    readonly closed_at: string;
    readonly columns: readonly { readonly column: string; readonly drifted: boolean }[];
  }[];
}

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ BUFFER_SIZE: String(BUFFER), REPORT_FREQUENCY: String(PERIOD_SECONDS) });
  const dataset = await platform.uploadSample('churn', 5000);
  const run = await platform.train({ pipeline: 'churn', dataset_version: dataset });
  expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED', promoted: true });
});
afterAll(() => platform?.stop());

/** Has rows scored, and answers how many. */
async function predict(rows: Iterable<RawRow>): Promise<number> {
  const body = JSON.stringify({ rows: Array.from(rows, ({ churned: _, ...row }) => row) });
  const response = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer = (await response.json()) as { predictions: unknown[] };
  expect(response.status, JSON.stringify(answer).slice(0, 500)).toBe(200);
  return answer.predictions.length;
}

/** The windows in order, as soon as these many predictions are in one whose report is there. */
async function reported(predictions: number, timeoutMs = 300_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { body } = await platform.get<Reports>('/api/v1/drift-reports?endpoint=churn&limit=100');
    const rows = body.items.reduce((sum, item) => sum + item.rows, 0);
    if (rows >= predictions) return body.items.toReversed();
    if (Date.now() > deadline) throw new Error(`${rows} of ${predictions} rows are in a report`);
    await delay(300);
  }
}

/** Predictions reach Postgres some moments after their answer. */
async function stored(): Promise<number> {
  const { sql, close } = connect(platform.databaseUrl);
  try {
    const [found] = await sql<[{ rows: number }]>`select count(*)::int as rows from predictions`;
    return found.rows;
  } finally {
    await close();
  }
}

const PERIOD_MS = PERIOD_SECONDS * 1000;
const periodOf = (time: string) => Math.floor(Date.parse(time) / PERIOD_MS);

let sent = 0;

test('enough predictions are compared with the reference without being asked, and like ones have not drifted', async () => {
  sent += await predict(churnRows(BUFFER, 11));
  const [window, ...others] = await reported(sent);
  expect(others).toEqual([]);
  expect(window).toMatchObject({ sequence: 1, rows: BUFFER, judged: true, drifted: false, prediction_drifted: false });
});

test('a window of other customers has drifted, and its report says in which feature', async () => {
  sent += await predict(churnRows(2 * BUFFER, 12, DEARER_MARKET));
  const last = (await reported(sent)).findLast(({ judged }) => judged)!;
  expect(last.columns.find(({ column }) => column === 'monthly_charges')).toMatchObject({ drifted: true });
  const { body } = await platform.get(`/api/v1/drift-reports/churn/${last.sequence}`);
  expect(body).toMatchObject({ endpoint: 'churn', model: 'churn', version: 1, sequence: last.sequence });
});

test('fewer predictions are compared when the period is over, and described without a verdict', async () => {
  // In the second half of a period, for a window of the period before may be closed late.
  while (Date.now() % PERIOD_MS < PERIOD_MS / 2) await delay(100);
  sent += await predict(churnRows(7, 13));
  const last = (await reported(sent)).at(-1)!;
  expect(last).toMatchObject({ rows: 7, judged: false, drifted: false });
  expect(periodOf(last.closed_at)).toBeGreaterThan(periodOf(last.last_at));
});

test('while the monitoring worker is stopped predictions are answered, and the backlog drains after', async () => {
  const pid = platform.pids()['worker-monitoring']!;
  process.kill(pid, 'SIGSTOP');
  try {
    for (let round = 0; round < 20; round++) sent += await predict(churnRows(BUFFER, 20 + round));
    await expect.poll(stored, { timeout: 60_000 }).toBe(sent);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const windows = await reported(sent);
  expect(windows.reduce((sum, { rows }) => sum + rows, 0)).toBe(sent);
  expect(windows.map(({ sequence }) => sequence)).toEqual(windows.map((_, index) => index + 1));
  // Cut larger, so that it drains faster than it grew.
  expect(windows.length).toBeLessThan(15);
});
