import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import {
  QUEUES,
  type BatchPredictInput,
  type DeployInput,
  type JobInput,
  type WatchDriftInput,
} from '../../workflows/messages.ts';
import type { RetrainInput } from '../../activities/retraining.ts';
import { startTestTemporal } from '../platform.ts';
import type { AllActivities } from './fake-activities.ts';

export const WORKFLOWS = new URL('../../workflows/index.ts', import.meta.url).pathname;

const logger = new DefaultLogger('ERROR');
let bundle: ReturnType<typeof bundleWorkflowCode> | undefined;
/** The workflow bundle, made once per test file. */
export const workflowBundle = () => (bundle ??= bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger }));

/** A real Temporal server of this test file's own. */
export async function startTemporal() {
  Runtime.install({ logger });
  const server = await startTestTemporal();
  const connection = await Connection.connect({ address: server.address, connectTimeout: '1 minute' });
  const native = await NativeConnection.connect({ address: server.address });
  const stop = async () => {
    await native.close();
    await connection.close();
    await server.stop();
  };
  return { client: new Client({ connection }), native, stop };
}

/** Runs `work` while workers of all three roles serve the job workflows with the given activities. */
export async function withWorkers<T>(
  native: NativeConnection,
  activities: Partial<AllActivities>,
  work: () => Promise<T>,
): Promise<T> {
  const options = { connection: native, activities: answeredOnce(activities), maxHeartbeatThrottleInterval: '200ms' };
  const workers = await Promise.all([
    Worker.create({ ...options, taskQueue: QUEUES.pipeline, workflowBundle: await workflowBundle() }),
    Worker.create({ ...options, taskQueue: QUEUES.training }),
    Worker.create({ ...options, taskQueue: QUEUES.monitoring }),
  ]);
  const running = workers.map((worker) => worker.run());
  try {
    return await work();
  } finally {
    workers.forEach((worker) => worker.shutdown());
    await Promise.all(running);
  }
}

/**
 * On a slow machine the time of an activity may be over before Temporal has its answer. The next try gets the same answer,
 * so that what a test counts is what the workflow asked for; after a failure the activity is tried anew.
 */
function answeredOnce(activities: Partial<AllActivities>): Partial<AllActivities> {
  const answers = new Map<string, Promise<unknown>>();
  const once =
    (activity: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      const { workflowExecution, activityId } = Context.current().info;
      const key = `${workflowExecution!.runId} ${activityId}`;
      const hasAnswer = await answers.get(key)?.then(
        () => true,
        () => false,
      );
      if (!hasAnswer) answers.set(key, activity(...args));
      return await answers.get(key);
    };
  return Object.fromEntries(Object.entries(activities).map(([name, activity]) => [name, once(activity as never)]));
}

/** Of all executions of a workflow that is over. */
export async function historyLengths(
  client: Client,
  { workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId,
): Promise<number[]> {
  const lengths: number[] = [];
  let runId: string | null | undefined = firstExecutionRunId;
  while (runId) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    lengths.push(events!.length);
    runId = events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return lengths;
}

const input: JobInput = {
  pipeline: { name: 'churn', version: 1 },
  definition: '0'.repeat(64),
  source: null,
  requested_by: 'test',
};

const deployment: DeployInput = {
  model: { name: 'churn', version: 1 },
  endpoint: 'churn',
  override_gates: false,
  requested_by: 'test',
};

const batch: BatchPredictInput = {
  model: { name: 'churn', version: 1 },
  source: { kind: 'dataset', dataset_version: 'ds_20260101T000000Z_0123456789ab' },
  requested_by: 'test',
};

const watch: WatchDriftInput = { endpoint: 'churn' };

export const retraining: RetrainInput = {
  ...{
    cause: { endpoint: 'churn', sequence: 1, kind: 'drift' },
    run_id: 'retrain-churn-1',
    model: 'churn',
    version: 1,
  },
  ...{ pipeline: { name: 'churn', version: 1 }, definition: '0'.repeat(64), include_labels: true },
};

const INPUTS: Readonly<Record<string, unknown>> = {
  ...{ deployModel: deployment, batchPredict: batch, watchDrift: watch, retrain: retraining, deliverAlert: 1 },
};

export const startJob = (client: Client, workflow: string) =>
  client.workflow.start(workflow, {
    taskQueue: QUEUES.pipeline,
    workflowId: `test-${randomUUID()}`,
    memo: { kept: 'across executions' },
    args: [INPUTS[workflow] ?? input],
  });
