import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
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
  const connection = await Connection.connect({ address: server.address });
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
  const options = { connection: native, activities, maxHeartbeatThrottleInterval: '200ms' };
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
