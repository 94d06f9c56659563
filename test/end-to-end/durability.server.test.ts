import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withinLooks } from '../looks.ts';
import { connect } from '../../db/connect.ts';
import { startTestPlatform, type RunView, type TestPlatform } from './platform.ts';

// Boosting long enough to be killed in the middle of: early stopping never comes, checkpoints do.
const slow = (trees: number, learning_rate: number) => ({
  evaluation: { gates: [], max_regression: 1 },
  candidates: [
    { algorithm: 'logistic_regression' },
    {
      algorithm: 'gradient_boosting',
      trees: [trees],
      learning_rate: [learning_rate],
      max_leaves: [31],
      early_stopping_rounds: [1000],
    },
  ],
});
const SLOW = slow(1500, 0.005);
/** For a run that need not come to its end. */
const ENDLESS = slow(5000, 0.001);

let platform: TestPlatform;
let dataset: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  dataset = await platform.uploadSample('churn', 20_000);
});
afterAll(() => platform.stop());

const startSlowRun = async (run_id: string, overrides = SLOW) => {
  await platform.train({ pipeline: 'churn', dataset_version: dataset, overrides, run_id });
  return run_id;
};
const boosting = (status: RunView) => status.candidates.find(({ id }) => id.startsWith('gradient'));
const midTraining = (id: string, percent = 20) =>
  platform.waitFor(id, (status) => (boosting(status)?.progress ?? 0) >= percent);

/** Rows that a run left behind, counted where they are kept. */
async function traces(runId: string) {
  const { sql, close } = connect(platform.databaseUrl);
  try {
    const [row] = await sql`select
      (select count(*)::int from model_versions where run_id = ${runId}) as versions,
      (select count(*)::int from alias_moves where run_id = ${runId}) as promotions,
      (select count(*)::int from endpoint_revisions where run_id = ${runId} and state = 'active') as revisions`;
    return row;
  } finally {
    await close();
  }
}
const ONCE = { versions: 1, promotions: 1, revisions: 1 };

test('a training worker killed in mid-training costs nothing but time: one version, one promotion', async () => {
  const id = await startSlowRun('killed-training-worker');
  await midTraining(id);
  process.kill(platform.pids()['worker-training']!, 'SIGKILL');
  const status = await platform.finished(id);
  expect(status).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(boosting(status)!.attempt).toBeGreaterThan(1);
  expect(await traces(id)).toEqual(ONCE);
});

test('all workers killed at once: the run completes, one version, one promotion', async () => {
  const id = await startSlowRun('killed-workers');
  await midTraining(id);
  for (const role of ['pipeline', 'training', 'monitoring']) {
    process.kill(platform.pids()[`worker-${role}`]!, 'SIGKILL');
  }
  expect(await platform.finished(id)).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(await traces(id)).toEqual(ONCE);
});

test('the Temporal server killed in mid-training: the run completes, one version, one promotion', async () => {
  const id = await startSlowRun('killed-temporal');
  await midTraining(id);
  process.kill(platform.pids().temporal!, 'SIGKILL');
  expect(await platform.finished(id)).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(await traces(id)).toEqual(ONCE);
});

test('the same run id posted twice starts once; with another request it is a conflict', async () => {
  const request = { pipeline: 'churn', dataset_version: dataset, run_id: 'posted-twice' };
  const answers = await Promise.all([1, 2].map(() => platform.post<{ job_id: string }>('/api/v1/train', request)));
  expect(answers.map(({ status, body }) => [status, body.job_id])).toEqual([
    [202, 'posted-twice'],
    [202, 'posted-twice'],
  ]);
  expect(await platform.finished('posted-twice')).toMatchObject({ state: 'COMPLETED' });
  expect(await traces('posted-twice')).toEqual(ONCE);
  const other = await platform.post('/api/v1/train', { ...request, overrides: { promotion: 'manual' } });
  expect(other).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
});

// Retried, because another load on the machine may hold up the one or two messages it takes.
test('cancelling stops a running candidate within two seconds', { retry: 2 }, async () => {
  const id = await startSlowRun(`cancelled-${randomUUID()}`, ENDLESS);
  await midTraining(id, 10);
  expect((await platform.post(`/api/v1/runs/${id}/cancel`, {})).status).toBe(202);
  // Two seconds, and as much more as Temporal and a worker take to answer ten times.
  await withinLooks(10, 200, async () => expect((await platform.run(id)).state).toBe('CANCELLED'));
  expect(await traces(id)).toEqual({ versions: 0, promotions: 0, revisions: 0 });
});

test('while no worker answers, the status comes from Postgres and says that it is stale', async () => {
  const id = await startSlowRun('unanswered', ENDLESS);
  await midTraining(id, 10);
  // Postgres is a moment behind the workflow.
  const kept = async () => (await platform.get<{ items: RunView[] }>('/api/v1/runs?state=RUNNING')).body.items;
  await expect.poll(kept, { timeout: 60_000 }).toMatchObject([{ job_id: id, stage: 'training' }]);
  const pid = platform.pids()['worker-pipeline']!;
  process.kill(pid, 'SIGSTOP');
  try {
    const status = await platform.waitFor(id, ({ stale }) => stale);
    expect(status).toMatchObject({ state: 'RUNNING', stage: 'training' });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await platform.waitFor(id, ({ stale }) => !stale);
  expect((await platform.post(`/api/v1/runs/${id}/cancel`, {})).status).toBe(202);
  expect(await platform.finished(id)).toMatchObject({ state: 'CANCELLED' });
});
