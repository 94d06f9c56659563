import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, RetryState, SearchAttributeType } from '@temporalio/common';
import type { ProjectionActivities } from '../activities/projection.ts';
import type { ErrorDetail } from '../lib/errors.ts';
import { pendingStatus, SEARCH_ATTRIBUTES, statusQuery } from './messages.ts';
import type { CarriedJob, JobError, JobKind, JobState, JobStatus, StageName, StepState } from './messages.ts';

const { recordStatus } = proxyActivities<ProjectionActivities>({
  startToCloseTimeout: '10 seconds',
  // Bounded, for Postgres may be away for long: the projection is a convenience, the workflow is the truth.
  retry: { maximumAttempts: 20, maximumInterval: '10 seconds' },
});
const STAGE_ATTRIBUTE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.stage, SearchAttributeType.KEYWORD);

/** A running job: its status, and the one way to change it. */
export interface Job {
  readonly status: JobStatus;
  /** Runs a stage and keeps its state, times and the job's progress; `progress` is the percent done when it begins. */
  stage<T>(name: StageName, work: () => Promise<T>, progress?: number): Promise<T>;
  /** Copies the status, as it is now, to Postgres. */
  readonly project: () => void;
  /** For the execution that goes on where this one stops. */
  readonly carried: () => CarriedJob;
}

/** Runs `body` as a job: answers the `status` query, projects each change, and ends in exactly one final state. */
export async function runJob(
  kind: JobKind,
  { pipeline, requested_by, cause }: Pick<JobStatus, 'pipeline' | 'requested_by' | 'cause'>,
  body: (job: Job) => Promise<void>,
  before?: CarriedJob,
): Promise<JobStatus> {
  const status: JobStatus = before?.status ?? {
    ...pendingStatus({
      job_id: workflowInfo().workflowId,
      kind,
      pipeline,
      requested_by,
      started_at: workflowInfo().startTime.toISOString(),
    }),
    state: 'RUNNING',
    waiting_for: null,
    ...(cause && { cause }),
  };
  setHandler(statusQuery, () => status);
  const { project, sequence } = createProjection(status, before?.sequence ?? 0);

  const stage = async <T>(name: StageName, work: () => Promise<T>, progress?: number): Promise<T> => {
    const step = status.stages.find((candidate) => candidate.name === name)!;
    Object.assign(step, { state: 'RUNNING', started_at: step.started_at ?? now() });
    status.stage = name;
    status.progress = progress ?? Math.floor((100 * status.stages.indexOf(step)) / status.stages.length);
    upsertSearchAttributes([{ key: STAGE_ATTRIBUTE, value: name }]);
    void project();
    const result = await work();
    Object.assign(step, { state: 'COMPLETED', finished_at: now() });
    return result;
  };

  try {
    void project();
    await body({ status, stage, project: () => void project(), carried: () => ({ status, sequence: sequence() }) });
    finish(status, 'COMPLETED');
    status.progress = 100;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error; // the next execution says how it ends
    const isCancelled = isCancellation(error) || (isLeftByCancelling(error) && patched('left-by-cancelling'));
    finish(status, isCancelled ? 'CANCELLED' : 'FAILED');
    if (isCancelled) throw isCancellation(error) ? error : new CancelledFailure('cancelled while a worker was away');
    status.error = describe(error);
    throw ApplicationFailure.nonRetryable(status.error.message, status.error.code, status.error.details);
  } finally {
    if (status.finished_at !== null) await CancellationScope.nonCancellable(() => project());
  }
  return status;
}

/** Workflow time: replay-safe. */
export const now = () => new Date().toISOString();

/** Projections go out in order, without holding the job up; a lost one is made good by the next. */
function createProjection(status: JobStatus, before: number) {
  let sequence = before;
  let last = Promise.resolve();
  const project = (): Promise<void> => {
    const snapshot = structuredCloneOf(status);
    const own = ++sequence;
    last = last.then(() =>
      CancellationScope.nonCancellable(() => recordStatus({ status: snapshot, sequence: own })).catch(() => undefined),
    );
    return last;
  };
  return { project, sequence: () => sequence };
}

const structuredCloneOf = (status: JobStatus) => JSON.parse(JSON.stringify(status)) as JobStatus;

function finish(status: JobStatus, state: Extract<JobState, 'COMPLETED' | 'FAILED' | 'CANCELLED'>): void {
  status.state = state;
  status.finished_at = now();
  status.waiting_for = null;
  for (const step of [...status.stages, ...status.candidates]) {
    if (step.state === 'RUNNING') Object.assign(step, { state, finished_at: now() });
    if (step.state === 'PENDING') step.state = 'SKIPPED' satisfies StepState;
  }
}

/** Temporal tries nothing again in a cancelled run: what failed then, as when its worker was away, would have been tried again. */
const isLeftByCancelling = (error: unknown) =>
  error instanceof ActivityFailure && error.retryState === RetryState.CANCEL_REQUESTED;

/** The platform's error inside an activity's failure: the failure's type is the code. */
function describe(error: unknown): JobError {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = (cause.details?.[0] as readonly ErrorDetail[] | undefined) ?? [];
    return { code: cause.type ?? 'INTERNAL', message: cause.message, details };
  }
  return { code: 'UNAVAILABLE', message: cause instanceof Error ? cause.message : String(cause), details: [] };
}
