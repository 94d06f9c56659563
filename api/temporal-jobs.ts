import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { JobKind, JobStatus } from '../workflows/messages.ts';
import { pauseSignal, QUEUES, resumeSignal, statusQuery } from '../workflows/messages.ts';
import { visibility } from '../workflows/visibility.ts';
import { type JobEngine, type JobExecution, type JobStart, WORKFLOW_TYPES } from './job-engine.ts';

const CALL_MS = 5_000;
const QUERY_MS = 1_000;
const SIGNALS = { pause: pauseSignal, resume: resumeSignal };
const KINDS = new Map(Object.entries(WORKFLOW_TYPES).map(([kind, type]) => [type as string, kind as JobKind]));
const STATES: Partial<Record<WorkflowExecutionStatusName, JobExecution['state']>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
};

/** Jobs as Temporal workflows: the job id is the workflow id. */
export function createTemporalJobs(client: Client): JobEngine {
  const within = <T>(ms: number, call: () => Promise<T>) => client.withDeadline(Date.now() + ms, call);
  return {
    start: (job) =>
      unlessFound(
        () =>
          within(CALL_MS, async () => {
            await client.workflow.start(WORKFLOW_TYPES[job.kind], { workflowId: job.jobId, ...startOptions(job) });
            return 'started' as const;
          }),
        WorkflowExecutionAlreadyStartedError,
        'exists' as const,
      ),
    describe: (jobId) =>
      unlessFound(
        async () => toExecution(await within(CALL_MS, () => client.workflow.getHandle(jobId).describe())),
        WorkflowNotFoundError,
        null,
      ),
    query: (jobId) => orNull(() => within(QUERY_MS, () => client.workflow.getHandle(jobId).query(statusQuery))),
    result: (jobId) =>
      orNull(() => within(QUERY_MS, () => client.workflow.getHandle(jobId).result() as Promise<JobStatus>)),
    signal: (jobId, signal) =>
      unlessFound(
        async () => {
          await within(CALL_MS, () => client.workflow.getHandle(jobId).signal(SIGNALS[signal]));
          return true;
        },
        WorkflowNotFoundError,
        false,
      ),
    cancel: async (jobId) => {
      await within(CALL_MS, () => client.workflow.getHandle(jobId).cancel());
    },
  };
}

/** No worker, a worker of an older version, a history that is gone: the caller has the projection. */
const orNull = <T>(call: () => Promise<T>): Promise<T | null> => call().catch(() => null);

/** Everything but the id; a schedule starts its runs with the same. */
export const startOptions = ({ input, model, kind, requestSha256 }: Omit<JobStart, 'jobId'>) => ({
  taskQueue: QUEUES.pipeline,
  args: [input] as [JobStart['input']],
  workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
  workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
  ...visibility({ input, model, kind, requestSha256 }),
});

function toExecution({
  type,
  status,
  memo = {},
  startTime,
  closeTime,
}: WorkflowExecutionDescription): JobExecution | null {
  const kind = KINDS.get(type);
  if (kind === undefined) return null;
  return {
    kind,
    state: STATES[status.name] ?? 'running',
    requestSha256: (memo.request_sha256 as string | null | undefined) ?? null,
    startedAt: startTime,
    closedAt: closeTime ?? null,
    pipeline:
      kind === 'deploy_model' || kind === 'batch_predict'
        ? null
        : {
            name: (memo.pipeline as string | undefined) ?? '',
            version: (memo.pipeline_version as number | undefined) ?? 0,
          },
    requestedBy: (memo.requested_by as string | undefined) ?? '',
  };
}

async function unlessFound<T, U>(
  call: () => Promise<T>,
  expected: new (...args: never[]) => Error,
  otherwise: U,
): Promise<T | U> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof expected) return otherwise;
    throw error;
  }
}
