import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../db/connect.ts';
import { startTestPlatform, type RunView, type TestPlatform } from './platform.ts';

// Boosting long enough to be killed in the middle of: early stopping never comes, checkpoints do.
const SLOW = {
  evaluation: { gates: [], max_regression: 1 },
  candidates: [
    { algorithm: 'logistic_regression' },
    {
      algorithm: 'gradient_boosting',
      trees: [1500],
      learning_rate: [0.005],
      max_leaves: [31],
      early_stopping_rounds: [1000],
    },
  ],
};

let platform: TestPlatform;
let dataset: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  dataset = await platform.uploadSample('churn', 20_000);
});
afterAll(() => platform.stop());

const startSlowRun = async (run_id: string) => {
  await platform.train({ pipeline: 'churn', dataset_version: dataset, overrides: SLOW, run_id });
  return run_id;
};
const boosting = (status: RunView) => status.candidates.find(({ id }) => id.startsWith('gradient'));
const midTraining = (id: string) => platform.waitFor(id, (status) => (boosting(status)?.progress ?? 0) >= 20);

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
  const id = await startSlowRun(`cancelled-${randomUUID()}`);
  await midTraining(id);
  const asked = Date.now();
  expect((await platform.post(`/api/v1/runs/${id}/cancel`, {})).status).toBe(202);
  const status = await platform.finished(id);
  expect(status.state).toBe('CANCELLED');
  expect(Date.parse(status.finished_at!) - asked).toBeLessThan(2000);
  expect(await traces(id)).toEqual({ versions: 0, promotions: 0, revisions: 0 });
});

test('while no worker answers, the status comes from Postgres and says that it is stale', async () => {
  const id = await startSlowRun('unanswered');
  await midTraining(id);
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
