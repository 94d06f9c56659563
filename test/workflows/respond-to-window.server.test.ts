import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DriftWork } from '../../activities/drift.ts';
import { statusQuery } from '../../workflows/messages.ts';
import { type AllActivities, failedGate, fakeActivities } from './fake-activities.ts';
import { retraining, startJob, startTemporal, withWorkers } from './temporal.ts';

let temporal: Awaited<ReturnType<typeof startTemporal>>;
beforeAll(async () => void (temporal = await startTemporal()));
afterAll(() => temporal.stop());

const runs = (replace: Partial<AllActivities>, work: () => Promise<void>) =>
  withWorkers(temporal.native, fakeActivities(replace).activities, work);
const resultOf = (id: string) => temporal.client.workflow.getHandle(id).result();

test('a window that asks for it starts one retraining and its messages, however often it asks, and waits for none', async () => {
  const windows: DriftWork[] = [1, 2, 3].map((sequence) => ({ kind: 'window', sequence }));
  const sent: number[] = [];
  const extendDataset = vi.fn(fakeActivities().activities.extendDataset);
  const ended: unknown[] = [];
  let refuse = 2;
  await runs(
    {
      awaitDriftWork: () => Promise.resolve(windows.shift() ?? { kind: 'over' }),
      computeDrift: () => Promise.resolve({ reported: true }),
      judgeWindow: () => Promise.resolve({ retraining, deliveries: [1] }),
      extendDataset,
      endRetraining: (input) => {
        ended.push(input);
        return Promise.resolve([2]);
      },
      sendAlert: (id) => {
        if (refuse-- > 0)
          return Promise.reject(ApplicationFailure.retryable('the webhook answered 503', 'UNAVAILABLE'));
        sent.push(id);
        return Promise.resolve();
      },
    },
    async () => {
      const watch = await startJob(temporal.client, 'watchDrift');
      await watch.result();
      await resultOf('retraining:churn:1');
      await Promise.all([resultOf('alert:1'), resultOf('alert:2')]);
      const status = await temporal.client.workflow.getHandle('retrain-churn-1').query(statusQuery);
      expect(status).toMatchObject({ state: 'COMPLETED', requested_by: 'drift-policy', cause: retraining.cause });
      const { memo, typedSearchAttributes } = await temporal.client.workflow.getHandle('retrain-churn-1').describe();
      expect(memo).toMatchObject({ kind: 'train_model', requested_by: 'drift-policy', pipeline: 'churn' });
      expect(JSON.stringify(typedSearchAttributes.getAll())).toContain('AnnealPipeline');
    },
  );
  expect(extendDataset).toHaveBeenCalledTimes(1);
  expect(sent.sort()).toEqual([1, 2]);
  const outcome = { state: 'completed', version: 1, promoted: true };
  expect(ended).toEqual([{ endpoint: 'churn', sequence: 1, outcome }]);
});

test.each([
  ['its run', { evaluateCandidates: failedGate }, 'models:/churn/1 is registered but not promoted: roc_auc is 0.4'],
  [
    'the extension of its data',
    { extendDataset: () => Promise.reject(ApplicationFailure.nonRetryable('row 3 is broken', 'DATA_CONTRACT')) },
    'row 3 is broken',
  ],
] satisfies [string, Partial<AllActivities>, string][])(
  'a retraining whose failure is that of %s ends with the reason',
  async (_, replace, reason) => {
    const ended: unknown[] = [];
    const endRetraining: AllActivities['endRetraining'] = ({ outcome }) => Promise.resolve((ended.push(outcome), []));
    await runs({ ...replace, endRetraining }, async () => {
      await (await startJob(temporal.client, 'retrain')).result();
    });
    expect(ended).toEqual([{ state: 'failed', reason: expect.stringContaining(reason) as string }]);
  },
);

test('a message that is refused is given up', async () => {
  const giveUpAlert = vi.fn(() => Promise.resolve());
  const sendAlert = vi.fn(() => Promise.reject(ApplicationFailure.nonRetryable('404', 'INVALID')));
  await runs({ sendAlert, giveUpAlert }, async () => {
    await (await startJob(temporal.client, 'deliverAlert')).result();
  });
  expect(sendAlert).toHaveBeenCalledTimes(1);
  expect(giveUpAlert).toHaveBeenCalledExactlyOnceWith(1);
});
