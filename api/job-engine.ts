import type { BatchPredictInput, DeployInput, JobInput, JobKind, JobStatus } from '../workflows/messages.ts';

export const WORKFLOW_TYPES = {
  train_model: 'trainModel',
  preprocess_data: 'preprocessData',
  build_features: 'buildFeatures',
  deploy_model: 'deployModel',
  batch_predict: 'batchPredict',
} as const satisfies Record<JobKind, string>;

export type JobSignal = 'pause' | 'resume';

export interface JobStart {
  readonly kind: JobKind;
  readonly jobId: string;
  readonly input: JobInput | DeployInput | BatchPredictInput;
  readonly model: string;
  /** SHA-256 of the request, by which a repeat is told from another request with the same id. */
  readonly requestSha256: string;
}
export interface JobExecution {
  readonly kind: JobKind;
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
  /** null for jobs that a schedule started. */
  readonly requestSha256: string | null;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
  readonly pipeline: { readonly name: string; readonly version: number } | null;
  readonly requestedBy: string;
}

/** What the API needs of Temporal. Every method throws UNAVAILABLE within seconds when the server does not answer. */
export interface JobEngine {
  /** `exists` when the id was used before, whether or not that job is over. */
  start(job: JobStart): Promise<'started' | 'exists'>;
  /** null for an id Temporal does not know (any more) or that is no job. */
  describe(jobId: string): Promise<JobExecution | null>;
  /** Asks the workflow itself; null when no worker answers within a second. */
  query(jobId: string): Promise<JobStatus | null>;
  /** What a completed workflow returned; null when Temporal cannot say. Needs no worker. */
  result(jobId: string): Promise<JobStatus | null>;
  /** Asks the workflow to stop; answers before it has. */
  cancel(jobId: string): Promise<void>;
  /** Sends the workflow a signal; false when it is over. */
  signal(jobId: string, signal: JobSignal): Promise<boolean>;
}
