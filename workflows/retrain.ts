import { CancellationScope, executeChild, ParentClosePolicy, proxyActivities } from '@temporalio/workflow';
import type { RetrainingActivities, RetrainingOutcome, RetrainInput } from '../activities/retraining.ts';
import { startDeliveries } from './deliver-alert.ts';
import type { JobInput } from './messages.ts';
import { trainModel } from './train-model.ts';
import { visibility } from './visibility.ts';

const { extendDataset } = proxyActivities<RetrainingActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  // Bounded: after ten tries over some minutes an infrastructure fault needs a person.
  retry: { maximumAttempts: 10, maximumInterval: '30 seconds' },
});
const { endRetraining } = proxyActivities<RetrainingActivities>({
  startToCloseTimeout: '1 minute',
  // For ever: as long as it is not known that this one is over, no other one starts.
  retry: { maximumInterval: '30 seconds' },
});

/** Trains a decayed version's pipeline again, as an ordinary run, and says how that ended. */
export async function retrain(input: RetrainInput): Promise<void> {
  const { endpoint, sequence } = input.cause;
  const outcome = await train(input).catch((error: unknown): RetrainingOutcome => ({
    state: 'failed',
    reason: reasonOf(error),
  }));
  await CancellationScope.nonCancellable(async () =>
    startDeliveries(await endRetraining({ endpoint, sequence, outcome })),
  );
}

async function train({
  run_id,
  model,
  pipeline,
  definition,
  cause,
  ...extension
}: RetrainInput): Promise<RetrainingOutcome> {
  const source = await extendDataset({ run_id, model, definition, endpoint: cause.endpoint, ...extension });
  const input: JobInput = { pipeline, definition, source, requested_by: REQUESTED_BY, cause };
  const status = await executeChild(trainModel, {
    workflowId: run_id,
    args: [input],
    // A run is stopped as any run, not by way of what started it.
    parentClosePolicy: ParentClosePolicy.ABANDON,
    ...visibility({ kind: 'train_model', input, model, requestSha256: null }),
  });
  return { state: 'completed', version: status.model?.version ?? null, promoted: status.promoted };
}

const REQUESTED_BY = 'drift-policy';

/** The message of what was first to fail. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? reasonOf(cause) : message;
}
