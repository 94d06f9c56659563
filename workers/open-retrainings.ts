import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ResponseDeps } from '../activities/respond.ts';
import { retrainingIdOf } from '../workflows/messages.ts';

const CALL_MS = 5_000;

/** Is the workflow of a retraining, or its run, still open? Throws when Temporal does not answer. */
export const openRetrainings =
  (client: Client): ResponseDeps['isUnderWay'] =>
  async ({ endpoint, sequence, runId }) =>
    (await isOpen(client, retrainingIdOf(endpoint, sequence))) || (runId !== null && (await isOpen(client, runId)));

async function isOpen(client: Client, workflowId: string): Promise<boolean> {
  try {
    const describe = () => client.workflow.getHandle(workflowId).describe();
    return (await client.withDeadline(Date.now() + CALL_MS, describe)).closeTime === undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
