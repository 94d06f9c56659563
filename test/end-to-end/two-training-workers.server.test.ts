import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { TrainingProgress } from '../../activities/training.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { connectTemporal } from '../../lib/temporal-connection.ts';
import type { Checkpoint } from '../../ml/train-hooks.ts';
import { startExtraWorker } from './extra-worker.ts';
import { startTestPlatform, type RunView, type TestPlatform } from './platform.ts';

const TREES = 1000;
const ONE_AT_A_TIME = { WORKER_TRAINING_CONCURRENCY: '1' };
/** Early stopping never comes, checkpoints do. */
const FOUR_EQUAL = {
  evaluation: { gates: [], max_regression: 1 },
  candidates: [
    {
      algorithm: 'gradient_boosting',
      trees: [TREES],
      learning_rate: [0.005],
      max_leaves: [31],
      l2: [1, 1.01, 1.02, 1.03],
      early_stopping_rounds: [1000],
    },
  ],
};

let platform: TestPlatform;
let temporal: Client;
beforeAll(async () => {
  platform = await startTestPlatform(ONE_AT_A_TIME);
  temporal = await connectTemporal({ address: platform.temporalAddress, namespace: 'default' });
});
afterAll(async () => {
  await temporal?.connection.close();
  await platform?.stop();
});

interface Attempt {
  readonly activity: string;
  /** The worker that has it, or had it last. */
  readonly worker: string;
  /** What Temporal heard of it last, in this attempt or the one before. */
  readonly progress: TrainingProgress | undefined;
}

/** Of the candidates that wait or are being trained. */
async function attempts(runId: string): Promise<Attempt[]> {
  const { raw } = await temporal.workflow.getHandle(runId).describe();
  return (raw.pendingActivities ?? [])
    .filter(({ activityType }) => activityType?.name === 'trainCandidate')
    .map(({ activityId, lastWorkerIdentity, heartbeatDetails }) => {
      const payload = heartbeatDetails?.payloads?.[0];
      const progress = payload ? defaultPayloadConverter.fromPayload<TrainingProgress>(payload) : undefined;
      return { activity: activityId!, worker: lastWorkerIdentity ?? '', progress };
    });
}

const completed = ({ candidates }: RunView) => candidates.filter(({ state }) => state === 'COMPLETED');

/** The end of a run, and what was heard meanwhile of one activity in the hands of other workers than `dead`. */
async function followToTheEnd(runId: string, activity: string, dead: string) {
  const heard: number[] = [];
  for (;;) {
    const run = await platform.run(runId);
    if (!['PENDING', 'RUNNING'].includes(run.state)) return { run, heard };
    const now = (await attempts(runId)).find((attempt) => attempt.activity === activity);
    if (now?.progress && now.worker !== dead) heard.push(now.progress.done);
    await delay(100);
  }
}

test('one of two training workers killed in mid-run: only what it had neither finished nor checkpointed is repeated', async () => {
  const second = await startExtraWorker(platform, 'training', ONE_AT_A_TIME);
  const itself = `${second.pid}@${hostname()}`;
  const dataset_version = await platform.uploadSample('churn', 20_000);
  const id = await platform.train({ pipeline: 'churn', dataset_version, overrides: FOUR_EQUAL });

  const before = await vi.waitFor(
    async () => {
      const finished = completed(await platform.run(id));
      const attempt = (await attempts(id)).find(({ worker }) => worker === itself);
      expect(finished.length).toBeGreaterThan(0);
      expect(attempt?.progress?.checkpoint).toEqual(expect.any(String));
      expect(attempt!.progress!.done).toBeGreaterThan(0.4);
      // At its very end nothing would be left for the other worker to be heard of.
      expect(attempt!.progress!.done).toBeLessThan(0.8);
      // What was heard is some time old: stopped, it can no longer finish before it is killed.
      second.kill('SIGSTOP');
      await delay(500);
      if (!(await attempts(id)).some(({ activity, worker }) => activity === attempt!.activity && worker === itself)) {
        second.kill('SIGCONT');
        throw new Error('it has finished meanwhile');
      }
      return { finished, activity: attempt!.activity, progress: attempt!.progress! };
    },
    { timeout: 300_000, interval: 100 },
  );
  second.kill('SIGKILL');
  await second.exited;
  const { run, heard } = await followToTheEnd(id, before.activity, itself);

  expect(run).toMatchObject({ state: 'COMPLETED', promoted: true, model: { name: 'churn', version: 1 } });
  const { body } = await platform.get<{ items: unknown[] }>('/api/v1/models/churn/versions');
  expect(body.items).toHaveLength(1);
  expect(run.candidates.map(({ attempt }) => attempt).sort()).toEqual([1, 1, 1, 2]);
  expect(run.candidates).toEqual(expect.arrayContaining(before.finished));
  // The other worker went on with the trees of the checkpoint: it is never heard of with less.
  const store = createFolderStore(join(platform.home, 'artifacts'));
  const stored = Buffer.from(await store.get(before.progress.checkpoint!)).toString();
  const { trees } = JSON.parse(stored) as Checkpoint;
  expect(trees.length).toBeGreaterThan(0);
  expect(Math.min(...heard)).toBeGreaterThanOrEqual(trees.length / TREES);
  expect(Math.max(...heard)).toBeGreaterThan(before.progress.done);
});
