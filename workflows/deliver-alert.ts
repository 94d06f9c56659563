import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, proxyActivities, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alerts.ts';

const { sendAlert } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '1 minute',
  // For a day, because receivers have outages, too.
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
});
const { giveUpAlert } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumInterval: '30 seconds' },
});

/** Tells the webhook of an alert, until it has understood or a day is over. */
export async function deliverAlert(delivery: number): Promise<void> {
  try {
    await sendAlert(delivery);
  } catch {
    await giveUpAlert(delivery); // what was wrong is kept with the delivery
  }
}

/** Starts what nobody waits for. Starting it again changes nothing. */
export async function startDeliveries(deliveries: readonly number[]): Promise<void> {
  for (const delivery of deliveries) {
    await unlessStarted(() =>
      startChild(deliverAlert, { workflowId: `alert:${delivery}`, args: [delivery], ...ON_ITS_OWN }),
    );
  }
}

/** Of a child that outlives its parent and is started once. */
export const ON_ITS_OWN = {
  parentClosePolicy: ParentClosePolicy.ABANDON,
  workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
} as const;

export async function unlessStarted(start: () => Promise<unknown>): Promise<void> {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
