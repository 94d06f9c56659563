import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { DataSource } from '../pipelines/definition.ts';
import type { ErrorDetail } from '../lib/errors.ts';

// One queue per worker role. The suffix is raised when old and new workers cannot share a queue.
export const QUEUES = { pipeline: 'pipeline-v1', training: 'training-v1', monitoring: 'monitoring-v1' } as const;
export type WorkerRole = keyof typeof QUEUES;

const TRAINING_STAGES = ['make_dataset', 'preprocessing', 'training', 'evaluation', 'registry', 'deployment'] as const;
const BATCH_STAGES = ['make_dataset', 'planning', 'scoring', 'assembling'] as const;
export const STAGES = [...TRAINING_STAGES, 'planning', 'scoring', 'assembling'] as const;
export type StageName = (typeof STAGES)[number];
export type JobKind = 'train_model' | 'preprocess_data' | 'build_features' | 'deploy_model' | 'batch_predict';
export const STAGES_OF: Record<JobKind, readonly StageName[]> = {
  train_model: TRAINING_STAGES,
  build_features: ['make_dataset', 'preprocessing'],
  preprocess_data: ['make_dataset'],
  deploy_model: ['deployment'],
  batch_predict: BATCH_STAGES,
};
export type JobState = 'PENDING' | 'RUNNING' | 'WAITING_APPROVAL' | 'PAUSED' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
export type StepState = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'SKIPPED';

/** Input of the workflows that run a pipeline; `definition` is the SHA-256 of the effective definition in the artifact store. */
export interface JobInput {
  readonly pipeline: { readonly name: string; readonly version: number };
  readonly definition: string;
  readonly source: DataSource | null;
  readonly requested_by: string;
  readonly cause?: RunCause;
}
/** The window because of which a run was started by nobody: see GET /retrainings. */
export interface RunCause {
  readonly endpoint: string;
  readonly sequence: number;
  readonly kind: 'drift' | 'metric' | 'schedule';
}

/** Input of a deployment by hand: of a challenger, of an older version, or of a model from outside. */
export interface DeployInput {
  readonly model: { readonly name: string; readonly version: number };
  readonly endpoint: string;
  /** Was it asked for although the version missed its gates? */
  readonly override_gates: boolean;
  readonly requested_by: string;
}

/** Input of the scoring of a file. Both are pinned: an alias that moves meanwhile changes nothing. */
export interface BatchPredictInput {
  readonly model: { readonly name: string; readonly version: number };
  readonly source: DataSource;
  readonly requested_by: string;
  /** Where the execution before this one stopped, for a history has an end; absent at first. */
  readonly continued?: BatchContinuation;
}
export interface BatchContinuation {
  readonly job: CarriedJob;
  /** SHA-256 of the plan, and of the list of chunks that are scored. */
  readonly plan: string;
  readonly scored: string;
}
/** What a job takes along when it continues as a new execution. */
export interface CarriedJob {
  readonly status: JobStatus;
  /** Of the last projection. */
  readonly sequence: number;
}

/** Input of the watch of an endpoint. */
export interface WatchDriftInput {
  readonly endpoint: string;
  /** Of an execution that goes on where another one stopped, for a history has an end: when the first one began, ISO 8601. */
  readonly since?: string;
  /** The number of its last window. */
  readonly after?: number;
}

/** How far the scoring of a file is. */
export interface BatchStatus {
  rows: number;
  /** Rows that have an error instead of a prediction, in the chunks that are scored. */
  rows_failed: number;
  chunks: number;
  chunks_scored: number;
  /** The Parquet file with a prediction for every row, and what it was made of; null until the end. */
  output: { sha256: string; bytes: number } | null;
  manifest_sha256: string | null;
}

export interface StageStatus {
  name: StageName;
  state: StepState;
  started_at: string | null;
  finished_at: string | null;
}
export interface CandidateStatus {
  id: string;
  algorithm: string;
  hyperparameters: Record<string, number | string>;
  state: StepState;
  /** 0–100 */
  progress: number;
  attempt: number;
  /** Metrics on the validation split, once known. */
  metrics: Record<string, number>;
  started_at: string | null;
  finished_at: string | null;
}
export interface JobError {
  code: string;
  message: string;
  details: readonly ErrorDetail[];
}

/** Answer of the `status` query. It is the wire form of the API too, hence snake_case. */
export interface JobStatus {
  job_id: string;
  kind: JobKind;
  /** null for a deployment by hand and the scoring of a file. */
  pipeline: { name: string; version: number } | null;
  state: JobState;
  stage: StageName | null;
  /** 0–100 */
  progress: number;
  stages: StageStatus[];
  candidates: CandidateStatus[];
  /** What the job waits for now, in words a person can act on; null when it computes. */
  waiting_for: string | null;
  dataset_version: string | null;
  rows: { train: number; validation: number; test: number } | null;
  /** Test-split metrics of the chosen candidate, once evaluated. */
  metrics: Record<string, number>;
  best_candidate: string | null;
  model: { name: string; version: number; uri: string } | null;
  endpoint: { name: string; revision: number } | null;
  promoted: boolean;
  /** Only of the scoring of a file, once it is planned. */
  batch?: BatchStatus;
  error: JobError | null;
  requested_by: string;
  /** Only of a retraining. */
  cause?: RunCause;
  started_at: string;
  finished_at: string | null;
}

/** The status of a job that no worker has taken up yet. */
export const pendingStatus = (
  job: Pick<JobStatus, 'job_id' | 'kind' | 'pipeline' | 'requested_by' | 'started_at'>,
): JobStatus => ({
  job_id: job.job_id,
  kind: job.kind,
  pipeline: job.pipeline && { ...job.pipeline },
  state: 'PENDING',
  stage: null,
  progress: 0,
  stages: STAGES_OF[job.kind].map((name) => ({ name, state: 'PENDING', started_at: null, finished_at: null })),
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
  requested_by: job.requested_by,
  started_at: job.started_at,
  finished_at: null,
});

/** Sent by a training activity a few times per candidate; later ones win. */
export interface CandidateProgress {
  readonly candidate_id: string;
  readonly attempt: number;
  readonly progress: number;
}

export const statusQuery = defineQuery<JobStatus>('status');
export const candidateProgressSignal = defineSignal<[CandidateProgress]>('candidateProgress');

/** Hold a job back before its next step, and let it go on. */
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');

/** Search attributes of every job, as the Temporal Web UI lists them. All are of type Keyword. */
export const SEARCH_ATTRIBUTES = {
  pipeline: 'AnnealPipeline',
  stage: 'AnnealStage',
  model: 'AnnealModel',
} as const;

export const scheduleIdOf = (pipeline: string) => `pipeline:${pipeline}`;
export const retrainingIdOf = (endpoint: string, sequence: number) => `retraining:${endpoint}:${sequence}`;
export const driftScheduleIdOf = (endpoint: string) => `drift:${endpoint}`;
