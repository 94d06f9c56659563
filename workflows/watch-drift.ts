import {
  ActivityFailure,
  continueAsNew,
  isCancellation,
  log,
  patched,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { DriftActivities } from '../activities/drift.ts';
import type { LabelActivities } from '../activities/labels.ts';
import { now } from './job.ts';
import { QUEUES, type WatchDriftInput } from './messages.ts';
import { respondToWindow } from './respond-to-window.ts';

const { awaitDriftWork } = proxyActivities<DriftActivities>({
  taskQueue: QUEUES.monitoring,
  startToCloseTimeout: '10 seconds',
  // For ever: to fail is how it waits. The delay is that of real failures, such as a database that is away.
  retry: { initialInterval: '1 second', backoffCoefficient: 1 },
});
const { computeDrift, restateMetrics } = proxyActivities<DriftActivities & LabelActivities>({
  taskQueue: QUEUES.monitoring,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  // Bounded, for a window that cannot be computed must not hold up the ones after it: it is tried again each period.
  retry: { maximumAttempts: 20, maximumInterval: '30 seconds' },
});

// What one window may add comes on top; a history may have 400 events.
const LONG_HISTORY = 200;

/**
 * Watches one endpoint for one period of its schedule: computes each window as soon as it is closed, in order, and has
 * what follows from it done. What is not done when this ends, however it ends, is found by the next one.
 */
export async function watchDrift({ endpoint, since = now(), after = 0 }: WatchDriftInput): Promise<void> {
  let last = after;
  while (workflowInfo().historyLength < LONG_HISTORY) {
    const work = await awaitDriftWork({ endpoint, since, after: last });
    if (work.kind === 'over') return;
    if (work.kind === 'window') {
      last = work.sequence;
      await unlessItFails(last, () => computeAndRespond(endpoint, last));
    }
    if (work.kind === 'labels') await restateAndRespond(endpoint, work.sequences);
  }
  await continueAsNew<typeof watchDrift>({ endpoint, since, after: last });
}

async function computeAndRespond(endpoint: string, sequence: number): Promise<void> {
  const { reported } = await computeDrift({ endpoint, sequence });
  // Also without a report: what was raised about an earlier version is over. `patched`, for it once was only with one.
  if (reported || patched('respond-without-report')) await respondToWindow({ endpoint, sequence });
}

async function restateAndRespond(endpoint: string, sequences: readonly number[]): Promise<void> {
  const isRestated = await unlessItFails(sequences[0]!, () => restateMetrics({ endpoint, sequences }));
  // They are still the next thing to do.
  if (!isRestated) return await sleep('30 seconds');
  for (const sequence of sequences) await unlessItFails(sequence, () => respondToWindow({ endpoint, sequence }));
}

/** A window is lost to nobody but itself. Answers whether the work was done. */
async function unlessItFails(sequence: number, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const cause = error instanceof ActivityFailure ? error.cause : error;
    log.error('a window could not be dealt with', { sequence, reason: (cause as Error).message });
    return false;
  }
}
