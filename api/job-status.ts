import type { JobError, JobState, JobStatus } from '../workflows/messages.ts';
import { pendingStatus } from '../workflows/messages.ts';
import type { JobExecution } from './job-engine.ts';

/** A job's status, and whether it is from the database because no worker answered. */
export interface JobView extends JobStatus {
  readonly stale: boolean;
}
const FINAL: readonly JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED'];
export const isFinal = ({ state }: { readonly state: JobState }) => FINAL.includes(state);

/** The status of a job of which no more is known than what Temporal keeps of every workflow. */
export const unstartedStatus = (
  jobId: string,
  { kind, pipeline, requestedBy, startedAt }: Pick<JobExecution, 'kind' | 'pipeline' | 'requestedBy' | 'startedAt'>,
): JobStatus =>
  pendingStatus({ job_id: jobId, kind, pipeline, requested_by: requestedBy, started_at: startedAt.toISOString() });

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
