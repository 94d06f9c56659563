import { createHash } from 'node:crypto';
import type { RunRepository } from '../db/runs.ts';
import { notFound, orNull, PlatformError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { BatchPredictInput, DeployInput, JobKind, JobStatus } from '../workflows/messages.ts';
import { canonicalBytes } from './canonical-json.ts';
import { type BatchPredictionRequest, batchRequestSha256 } from './batch-predictions.ts';
import type { JobEngine, JobExecution, JobSignal, JobStart } from './job-engine.ts';
import { type JobRequest, planJob, type PlannedJob, type PlanningDeps, requestSha256 } from './job-requests.ts';
import { closedStatus, isFinal, type JobView, unstartedStatus } from './job-status.ts';
import { isUnavailable } from './middleware/unavailable.ts';

export interface JobsDeps extends PlanningDeps {
  readonly engine: JobEngine;
  readonly runs: Pick<RunRepository, 'get' | 'project'>;
  readonly log: Logger;
  readonly now: () => Date;
}
export interface StartJob {
  readonly kind: JobKind;
  /** The workflow's id. */
  readonly jobId: string;
  readonly request: JobRequest;
  readonly requestedBy: string;
}
export type Jobs = ReturnType<typeof createJobs>;

// Postgres' largest integer: nothing the workflow itself could still send comes after it.
const LAST_SEQUENCE = 0x7fffffff;

export function createJobs(deps: JobsDeps) {
  const { engine, runs, log, now } = deps;

  /** The last status in the database; null when there is none. */
  const projected = async (jobId: string): Promise<JobStatus | null> => (await orNull(runs.get(jobId)))?.status ?? null;
  /** The projection is a convenience: a database that is away must not fail what Temporal has done. */
  const project = async (status: JobStatus, sequence: number): Promise<void> => {
    try {
      await runs.project({ status, sequence });
    } catch (error) {
      log.warn({ err: error, run_id: status.job_id }, 'the run could not be projected');
    }
  };

  const closed = async (jobId: string, execution: JobExecution): Promise<JobView> => {
    const last = await projected(jobId);
    if (last && isFinal(last)) return { ...last, stale: false };
    const told = await (execution.state === 'completed' ? engine.result(jobId) : engine.query(jobId));
    if (told && isFinal(told)) return { ...told, stale: false };
    const status = closedStatus(told ?? last ?? unstartedStatus(jobId, execution), execution);
    await project(status, LAST_SEQUENCE);
    return { ...status, stale: false };
  };

  const viewOf = async (jobId: string, execution: JobExecution): Promise<JobView> => {
    if (execution.state !== 'running') return await closed(jobId, execution);
    const told = await engine.query(jobId);
    if (told) return { ...told, stale: false };
    const last = (await projected(jobId)) ?? unstartedStatus(jobId, execution);
    return { ...last, stale: !isFinal(last) };
  };

  /** From the workflow; from the database, `stale`, when no worker or no Temporal answers. Throws NOT_FOUND. */
  const status = async (jobId: string): Promise<JobView> => {
    const execution = await describeOrNull(jobId);
    if (execution) return await viewOf(jobId, execution);
    const last = await projected(jobId);
    if (last) return { ...last, stale: !isFinal(last) };
    // Temporal knows everything that still runs, so only now is it certain that there is no such job.
    if ((await engine.describe(jobId)) === null) throw notFound('job', jobId);
    return await status(jobId);
  };
  const describeOrNull = async (jobId: string) => {
    try {
      return await engine.describe(jobId);
    } catch (error) {
      if (isUnavailable(error)) return null;
      throw error;
    }
  };

  /** A job id is used once; the same request again finds the job it started. */
  const requireRepeat = async (jobId: string, sha256: string): Promise<void> => {
    const execution = await engine.describe(jobId);
    if (execution?.requestSha256 === sha256) return;
    throw new PlatformError('CONFLICT', `run id '${jobId}' belongs to another request`, {
      details: [{ path: 'run_id', rule: 'unique', message: 'was used by another request' }],
    });
  };

  const startOnce = async (
    job: Pick<JobStart, 'kind' | 'jobId' | 'requestSha256'>,
    plan: () => PlannedJob | Promise<PlannedJob>,
  ): Promise<void> => {
    const { kind, jobId, requestSha256 } = job;
    // Temporal forgets closed workflows after its retention time, the database does not.
    if (await projected(jobId)) return await requireRepeat(jobId, requestSha256);
    const { input, model } = await plan();
    const outcome = await engine.start({ ...job, input, model });
    if (outcome === 'exists') return await requireRepeat(jobId, requestSha256);
    const pipeline = 'pipeline' in input ? input.pipeline : null;
    log.info({ run_id: jobId, kind, pipeline: pipeline?.name, model }, 'job started');
    await project(unstartedStatus(jobId, { kind, pipeline, requestedBy: input.requested_by, startedAt: now() }), 0);
  };

  return {
    status,

    /** Starts the job once. Throws NOT_FOUND or INVALID (naming the field), CONFLICT (the id has another request). */
    start: async ({ kind, jobId, request, requestedBy }: StartJob): Promise<void> =>
      await startOnce({ kind, jobId, requestSha256: requestSha256(kind, request) }, () =>
        planJob(deps, request, requestedBy),
      ),

    /** Starts a deployment once. Throws CONFLICT (the id has another request). */
    startDeployment: async (jobId: string, input: DeployInput): Promise<void> => {
      const sha256 = createHash('sha256').update(canonicalBytes(input)).digest('hex');
      await startOnce({ kind: 'deploy_model', jobId, requestSha256: sha256 }, () => ({
        input,
        model: input.model.name,
      }));
    },

    /** Starts the scoring of a file once. Throws what `plan` throws, and CONFLICT (the id has another request). */
    startBatchPrediction: async (
      jobId: string,
      request: BatchPredictionRequest,
      plan: () => Promise<BatchPredictInput>,
    ): Promise<void> => {
      await startOnce({ kind: 'batch_predict', jobId, requestSha256: batchRequestSha256(request) }, async () => {
        const input = await plan();
        return { input, model: input.model.name };
      });
    },

    /** Holds a job back before its next step, or lets it go on. Throws NOT_FOUND, and CONFLICT where that cannot be. */
    signal: async (jobId: string, signal: JobSignal): Promise<JobView> => {
      const view = await status(jobId);
      const refused = reasonAgainst(signal, view);
      if (refused !== null) throw new PlatformError('CONFLICT', `job '${jobId}' ${refused}`);
      if (await engine.signal(jobId, signal)) return await status(jobId);
      throw new PlatformError('CONFLICT', `job '${jobId}' is over already`);
    },

    /** Asks a job to stop. Throws NOT_FOUND, and CONFLICT for a job that is over otherwise than by cancelling. */
    cancel: async (jobId: string): Promise<JobView> => {
      const execution = await engine.describe(jobId);
      if (execution?.state === 'running') {
        await engine.cancel(jobId);
        return await viewOf(jobId, execution);
      }
      const view = await status(jobId);
      if (view.state === 'CANCELLED') return view;
      throw new PlatformError('CONFLICT', `job '${jobId}' is ${view.state} already`);
    },
  };
}

function reasonAgainst(signal: JobSignal, job: JobView): string | null {
  if (job.kind !== 'batch_predict') return `cannot be paused: only batch predictions can, this is ${job.kind}`;
  if (isFinal(job)) return `is ${job.state} already`;
  return signal === 'pause' && job.stage === 'assembling' ? 'is in its last step: nothing is left to hold back' : null;
}
