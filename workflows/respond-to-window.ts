import { proxyActivities, startChild } from '@temporalio/workflow';
import type { ResponseActivities } from '../activities/respond.ts';
import { ON_ITS_OWN, startDeliveries, unlessStarted } from './deliver-alert.ts';
import { retrainingIdOf } from './messages.ts';
import { retrain } from './retrain.ts';

const { judgeWindow } = proxyActivities<ResponseActivities>({
  startToCloseTimeout: '1 minute',
  // Bounded, for the next window finds what this one would have: what counts is how the version does now.
  retry: { maximumAttempts: 20, maximumInterval: '30 seconds' },
});

/** A window that is finished: for the first time, with or without a report, or restated because labels arrived. */
export interface RespondInput {
  readonly endpoint: string;
  readonly sequence: number;
}

/** Has done what follows from a window, and waits for none of it. */
export async function respondToWindow(input: RespondInput): Promise<void> {
  const { retraining, deliveries } = await judgeWindow(input);
  await startDeliveries(deliveries);
  if (!retraining) return;
  const { endpoint, sequence } = retraining.cause;
  const workflowId = retrainingIdOf(endpoint, sequence);
  await unlessStarted(() => startChild(retrain, { workflowId, args: [retraining], ...ON_ITS_OWN }));
}
