import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openRetrainings } from '../../workers/open-retrainings.ts';
import { QUEUES, retrainingIdOf } from '../../workflows/messages.ts';
import { startTemporal } from '../workflows/temporal.ts';

let temporal: Awaited<ReturnType<typeof startTemporal>>;
beforeAll(async () => void (temporal = await startTemporal()));
afterAll(() => temporal.stop());

/** A workflow that no worker will ever run. */
const start = (workflowType: string, workflowId: string) =>
  temporal.client.workflow.start(workflowType, { workflowId, taskQueue: QUEUES.pipeline, args: [] });

test('a retraining is under way until both its workflow and its run have ended, however they did', async () => {
  const ask = openRetrainings(temporal.client);
  const retraining = { endpoint: 'churn', sequence: 3, runId: 'retrain-churn-3' };
  // It throws when Temporal takes longer than five seconds to answer.
  const isUnderWay = () => vi.waitFor(() => ask(retraining), { timeout: 60_000 });
  expect(await isUnderWay()).toBe(false);
  const workflow = await start('retrain', retrainingIdOf('churn', 3));
  expect(await isUnderWay()).toBe(true);
  const run = await start('trainModel', retraining.runId);
  await workflow.terminate('by an operator');
  expect(await isUnderWay()).toBe(true);
  await run.terminate();
  expect(await isUnderWay()).toBe(false);
});
