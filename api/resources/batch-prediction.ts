import { z } from '@hono/zod-openapi';
import { DataSource } from '../../pipelines/definition.ts';
import type { JobView } from '../job-status.ts';
import { Job, JobAccepted, JobId } from './job.ts';
import { Name } from './name.ts';

const ModelUri = z
  .string()
  .regex(
    /^models:\/[a-z][a-z0-9-]{0,62}(@[a-z][a-z0-9-]{0,62}|\/[1-9][0-9]{0,8})$/,
    'models:/<name>@<alias> or models:/<name>/<version>',
  );
const pathOf = (jobId: string) => `/api/v1/batch-predictions/${jobId}`;

export const BatchPredictionRequestBody = z
  .strictObject({
    model: ModelUri.optional().openapi({ description: 'An alias is followed once, when the job starts' }),
    endpoint: Name.optional().openapi({
      description: 'Instead of model: the version that it serves when the job starts',
    }),
    dataset_version: z.string().min(1).max(100).optional().openapi({ description: 'What POST /datasets answered' }),
    source: DataSource.optional().openapi({
      description: 'Instead of dataset_version; it becomes a dataset version of the model’s name',
    }),
    run_id: JobId.optional().openapi({ description: 'Made by the caller: the same id and request start one job' }),
  })
  .superRefine(({ model, endpoint, dataset_version, source }, context) => {
    const exactlyOne = (path: string, other: string, given: readonly unknown[]) => {
      if (given.filter((value) => value !== undefined).length === 1) return;
      context.addIssue({ code: 'custom', path: [path], message: `give ${path} or ${other}, one of them` });
    };
    exactlyOne('model', 'endpoint', [model, endpoint]);
    exactlyOne('dataset_version', 'source', [dataset_version, source]);
  })
  .openapi('BatchPredictionRequest', {
    allOf: [
      { oneOf: [{ required: ['model'] }, { required: ['endpoint'] }] },
      { oneOf: [{ required: ['dataset_version'] }, { required: ['source'] }] },
    ],
  });

export const BatchPredictionAccepted = JobAccepted.extend({ result_url: z.string() }).openapi(
  'BatchPredictionAccepted',
);

const shape = Job.shape;
/** A batch prediction as its users need it: a job without what only training has. */
export const BatchPrediction = z
  .object({
    job_id: shape.job_id,
    state: shape.state,
    stage: shape.stage,
    progress: shape.progress,
    waiting_for: shape.waiting_for,
    model: shape.model.openapi({ description: 'The version that scores; null until a worker has taken the job up' }),
    dataset_version: shape.dataset_version,
    rows: z.int().nullable().openapi({ description: 'null until the table is read' }),
    rows_failed: z.int().openapi({ description: 'Rows that have an error instead of a prediction, so far' }),
    chunks: z.int().nullable(),
    chunks_scored: z.int(),
    output: z
      .object({ sha256: z.string(), bytes: z.int(), url: z.string() })
      .nullable()
      .openapi({ description: 'The Parquet file; null until the job is COMPLETED' }),
    manifest: z.object({ sha256: z.string(), url: z.string() }).nullable(),
    error: shape.error,
    requested_by: shape.requested_by,
    started_at: shape.started_at,
    finished_at: shape.finished_at,
    stale: shape.stale,
  })
  .openapi('BatchPrediction');

export const toBatchPrediction = ({ batch, ...job }: JobView): z.output<typeof BatchPrediction> => ({
  job_id: job.job_id,
  state: job.state,
  stage: job.stage,
  progress: job.progress,
  waiting_for: job.waiting_for,
  model: job.model,
  dataset_version: job.dataset_version,
  rows: batch?.rows ?? null,
  rows_failed: batch?.rows_failed ?? 0,
  chunks: batch?.chunks ?? null,
  chunks_scored: batch?.chunks_scored ?? 0,
  output: batch?.output ? { ...batch.output, url: `${pathOf(job.job_id)}/output` } : null,
  manifest: batch?.manifest_sha256 ? { sha256: batch.manifest_sha256, url: `${pathOf(job.job_id)}/manifest` } : null,
  error: job.error,
  requested_by: job.requested_by,
  started_at: job.started_at,
  finished_at: job.finished_at,
  stale: job.stale,
});
