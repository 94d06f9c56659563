import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { DataSource } from '../pipelines/definition.ts';
import type { ErrorDetail } from '../lib/errors.ts';

// One queue per worker role. The suffix is raised when old and new workers cannot share a queue.
export const QUEUES = { pipeline: 'pipeline-v1', training: 'training-v1', monitoring: 'monitoring-v1' } as const;
export type WorkerRole = keyof typeof QUEUES;

export const STAGES = ['make_dataset', 'preprocessing', 'training', 'evaluation', 'registry', 'deployment'] as const;
export type StageName = (typeof STAGES)[number];
export type JobKind = 'train_model' | 'preprocess_data' | 'build_features' | 'deploy_model';
export const STAGES_OF: Record<JobKind, readonly StageName[]> = {
  train_model: STAGES,
  build_features: ['make_dataset', 'preprocessing'],
  preprocess_data: ['make_dataset'],
  deploy_model: ['deployment'],
};
export type JobState = 'PENDING' | 'RUNNING' | 'WAITING_APPROVAL' | 'PAUSED' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
export type StepState = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'SKIPPED';

/** Input of the workflows that run a pipeline; `definition` is the SHA-256 of the effective definition in the artifact store. */
export interface JobInput {
  readonly pipeline: { readonly name: string; readonly version: number };
  readonly definition: string;
  readonly source: DataSource | null;
  readonly requested_by: string;
}

/** Input of a deployment by hand: of a challenger, of an older version, or of a model from outside. */
export interface DeployInput {
  readonly model: { readonly name: string; readonly version: number };
  readonly endpoint: string;
  /** Was it asked for although the version missed its gates? */
  readonly override_gates: boolean;
  readonly requested_by: string;
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
  /** null for a deployment by hand. */
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
  error: JobError | null;
  requested_by: string;
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

/** Search attributes of every job, as the Temporal Web UI lists them. All are of type Keyword. */
export const SEARCH_ATTRIBUTES = {
  pipeline: 'AnnealPipeline',
  stage: 'AnnealStage',
  model: 'AnnealModel',
} as const;

export const scheduleIdOf = (pipeline: string) => `pipeline:${pipeline}`;
