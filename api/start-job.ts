import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { DeployInput, JobKind } from '../workflows/messages.ts';
import { type BatchPlanningDeps, type BatchPredictionRequest, planBatchPrediction } from './batch-predictions.ts';
import type { JobRequest } from './job-requests.ts';
import type { Jobs } from './jobs.ts';
import { runIdOfKey } from './middleware/idempotency.ts';
import type { ApiEnv } from './router.ts';

const ID_PREFIX = {
  train_model: 'train',
  preprocess_data: 'preprocess',
  build_features: 'features',
  deploy_model: 'deploy',
  batch_predict: 'batch',
} as const satisfies Record<JobKind, string>;

interface StartBody extends JobRequest {
  readonly run_id?: string | undefined;
}

/** Starts a job for a validated body and answers what 202 says of it; sets Location. */
export async function startJob(c: Context<ApiEnv>, jobs: Pick<Jobs, 'start'>, kind: JobKind, body: StartBody) {
  const actor = c.get('actor');
  const jobId = body.run_id ?? `${ID_PREFIX[kind]}-${body.pipeline}-${uniquePart(c, kind)}`;
  await jobs.start({ kind, jobId, request: body, requestedBy: actor });
  const { pipeline, version, dataset_version, source } = body;
  c.set('auditDetail', { pipeline, version, dataset_version, source: source?.kind });
  return accepted(c, jobId);
}

/** Starts a deployment and answers what 202 says of it; sets Location. */
export async function startDeployment(c: Context<ApiEnv>, jobs: Pick<Jobs, 'startDeployment'>, input: DeployInput) {
  const { model, endpoint, override_gates } = input;
  const jobId = `${ID_PREFIX.deploy_model}-${model.name}-${model.version}-${uniquePart(c, 'deploy_model')}`;
  await jobs.startDeployment(jobId, input);
  c.set('auditDetail', { endpoint, override_gates });
  return accepted(c, jobId);
}

/** Starts the scoring of a file and answers what 202 says of it; sets Location. */
export async function startBatchPrediction(
  c: Context<ApiEnv>,
  deps: BatchPlanningDeps & { readonly jobs: Pick<Jobs, 'startBatchPrediction'> },
  { run_id, ...request }: BatchPredictionRequest & { readonly run_id?: string | undefined },
) {
  const jobId = run_id ?? `${ID_PREFIX.batch_predict}-${uniquePart(c, 'batch_predict')}`;
  const plan = () => planBatchPrediction(deps, request, c.get('actor'));
  await deps.jobs.startBatchPrediction(jobId, request, plan);
  const { source, ...detail } = request;
  c.set('auditDetail', { ...detail, source: source?.kind });
  return { ...accepted(c, jobId), result_url: `/api/v1/batch-predictions/${jobId}` };
}

function accepted(c: Context<ApiEnv>, jobId: string) {
  const run = `/api/v1/runs/${jobId}`;
  c.header('location', run);
  return { job_id: jobId, state: 'PENDING' as const, status_url: run, events_url: `${run}/events` };
}

/** From the Idempotency-Key where there is one: a repeat after a crash finds the job the first request started. */
function uniquePart(c: Context<ApiEnv>, kind: JobKind): string {
  const key = c.req.header('idempotency-key');
  return key === undefined ? randomUUID() : runIdOfKey(c.get('actor'), kind, key);
}
