import { z } from '@hono/zod-openapi';
import { Name } from './name.ts';
import { DataSource, RunOverrides } from '../../pipelines/definition.ts';
import { RETRAINING_CAUSES } from '../../pipelines/retraining-decision.ts';
import { STAGES } from '../../workflows/messages.ts';
import { isFinal, type JobView } from '../job-status.ts';
import type { Run } from '../../db/schema/runs.ts';

/** Also a workflow id. Scheduled runs end in their time, hence the colon. */
export const JobId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,149}$/, 'letters, digits, dots, dashes, underscores and colons, at most 150');

const JobState = z.enum(['PENDING', 'RUNNING', 'WAITING_APPROVAL', 'PAUSED', 'COMPLETED', 'FAILED', 'CANCELLED']);
const StepState = z.enum(['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED']);
export const JobKind = z.enum(['train_model', 'preprocess_data', 'build_features', 'deploy_model', 'batch_predict']);
const Times = { started_at: z.iso.datetime().nullable(), finished_at: z.iso.datetime().nullable() };
const Percent = z.number().min(0).max(100);
const Metrics = z.record(z.string(), z.number());

const Candidate = z.object({
  id: z.string(),
  algorithm: z.string(),
  hyperparameters: z.record(z.string(), z.union([z.number(), z.string()])),
  state: StepState,
  progress: Percent,
  attempt: z.int(),
  metrics: Metrics,
  ...Times,
});

const BatchStatus = z.object({
  rows: z.int(),
  rows_failed: z.int().openapi({ description: 'Rows that have an error instead of a prediction, so far' }),
  chunks: z.int(),
  chunks_scored: z.int(),
  output: z.object({ sha256: z.string(), bytes: z.int() }).nullable(),
  manifest_sha256: z.string().nullable(),
});

/** The wire form of a job; the same as the workflow's `status` query. */
export const Job = z
  .object({
    job_id: z.string(),
    kind: JobKind,
    pipeline: z
      .object({ name: z.string(), version: z.int() })
      .nullable()
      .openapi({ description: 'null for a deployment by hand and the scoring of a file' }),
    state: JobState,
    stage: z.enum(STAGES).nullable(),
    progress: Percent,
    stages: z.array(z.object({ name: z.enum(STAGES), state: StepState, ...Times })),
    candidates: z.array(Candidate),
    waiting_for: z.string().nullable(),
    dataset_version: z.string().nullable(),
    rows: z.object({ train: z.int(), validation: z.int(), test: z.int() }).nullable(),
    metrics: Metrics.openapi({ description: 'On the test split, of the chosen candidate' }),
    best_candidate: z.string().nullable(),
    model: z.object({ name: z.string(), version: z.int(), uri: z.string() }).nullable(),
    endpoint: z.object({ name: z.string(), revision: z.int() }).nullable(),
    promoted: z.boolean(),
    batch: BatchStatus.optional().openapi({ description: 'Only of the scoring of a file, once it is planned' }),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        details: z.array(z.object({ path: z.string(), rule: z.string(), message: z.string() })).readonly(),
      })
      .nullable(),
    requested_by: z.string(),
    cause: z
      .object({ endpoint: z.string(), sequence: z.int(), kind: z.enum(RETRAINING_CAUSES) })
      .optional()
      .openapi({ description: 'Only of a retraining: the window that started it; GET /retrainings?run_id= says more' }),
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    stale: z.boolean().openapi({ description: 'From the database, because no worker answered within a second' }),
  })
  .openapi('Job') satisfies z.ZodType<JobView>;

/** A job in a list, from the database. */
export const toListedJob = ({ status }: Pick<Run, 'status'>): JobView => ({ ...status, stale: !isFinal(status) });

export const JobFilters = {
  pipeline: Name.optional(),
  state: JobState.optional(),
};

export const JobRequestBody = z
  .strictObject({
    pipeline: Name,
    version: z.int().min(1).max(0x7fffffff).optional().openapi({ description: 'The latest unless given' }),
    dataset_version: z.string().min(1).max(100).optional().openapi({ description: 'What POST /datasets answered' }),
    source: DataSource.optional().openapi({
      description: 'Instead of dataset_version and of the pipeline’s own source',
    }),
    overrides: RunOverrides.optional(),
    run_id: JobId.optional().openapi({ description: 'Made by the caller: the same id and request start one job' }),
  })
  .refine((body) => body.dataset_version === undefined || body.source === undefined, {
    path: ['source'],
    message: 'give dataset_version or source, not both',
  })
  .openapi('JobRequest', { not: { required: ['dataset_version', 'source'] } });

export const JobAccepted = z
  .object({
    job_id: z.string(),
    state: z.literal('PENDING').openapi({ description: 'When it was accepted; status_url says what it is now' }),
    status_url: z.string(),
    events_url: z.string(),
  })
  .openapi('JobAccepted');
