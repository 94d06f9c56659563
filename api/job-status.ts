import type { JobError, JobKind, JobState, JobStatus, StageName } from '../workflows/messages.ts';
import { STAGES } from '../workflows/messages.ts';
import type { JobExecution } from './job-engine.ts';

/** A job's status, and whether it is from the database because no worker answered. */
export interface JobView extends JobStatus {
  readonly stale: boolean;
}
const STAGES_OF: Record<JobKind, readonly StageName[]> = {
  train_model: STAGES,
  preprocess_data: STAGES.slice(0, 1),
  build_features: STAGES.slice(0, 2),
};
const FINAL: readonly JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED'];
export const isFinal = ({ state }: { readonly state: JobState }) => FINAL.includes(state);

export interface Accepted {
  readonly jobId: string;
  readonly kind: JobKind;
  readonly pipeline: { readonly name: string; readonly version: number };
  readonly requestedBy: string;
  readonly startedAt: Date;
}

/** The status of a job that no worker has taken up yet. */
export const pendingStatus = ({ jobId, kind, pipeline, requestedBy, startedAt }: Accepted): JobStatus => ({
  job_id: jobId,
  kind,
  pipeline: { ...pipeline },
  state: 'PENDING',
  stage: null,
  progress: 0,
  stages: STAGES_OF[kind].map((name) => ({ name, state: 'PENDING', started_at: null, finished_at: null })),
  candidates: [],
  waiting_for: 'a worker to take the job up',
  dataset_version: null,
  rows: null,
  metrics: {},
  best_candidate: null,
  model: null,
  endpoint: null,
  promoted: false,
  error: null,
  requested_by: requestedBy,
  started_at: startedAt.toISOString(),
  finished_at: null,
});

const ENDED_OUTSIDE: Partial<Record<JobExecution['state'], JobError>> = {
  terminated: { code: 'TERMINATED', message: 'the workflow was terminated from outside', details: [] },
  timed_out: { code: 'TIMED_OUT', message: 'the workflow ran longer than Temporal allows', details: [] },
  failed: { code: 'INTERNAL', message: 'the workflow failed without saying why', details: [] },
};

/** The last known status of a job that Temporal says is over, though its workflow could not say so itself. */
export function closedStatus(last: JobStatus, execution: JobExecution): JobStatus {
  const state =
    execution.state === 'cancelled' ? 'CANCELLED' : execution.state === 'completed' ? 'COMPLETED' : 'FAILED';
  const finished_at = execution.closedAt?.toISOString() ?? null;
  const close = <Step extends { state: string; finished_at: string | null }>(step: Step): Step => {
    if (step.state === 'RUNNING') return { ...step, state, finished_at };
    return step.state === 'PENDING' ? { ...step, state: 'SKIPPED' } : step;
  };
  return {
    ...last,
    state,
    finished_at,
    waiting_for: null,
    stages: last.stages.map(close),
    candidates: last.candidates.map(close),
    error: ENDED_OUTSIDE[execution.state] ?? last.error,
  };
}
