import type { BoostedTrees, TrainedModel } from './model.ts';

/** Trees grown so far, before early stopping cuts them to the best iteration. Plain JSON. */
export type Checkpoint = BoostedTrees;

export interface TrainingProgress {
  /** Trees grown, or Newton steps taken. */
  readonly iteration: number;
  readonly of: number;
  readonly validation_log_loss: number;
}

/** How a caller follows a training run. An error thrown by a hook ends the run and reaches the caller (cancellation). */
export interface TrainHooks {
  /** The trainers of this version draw no random numbers; the seed is theirs when they do. */
  readonly seed: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Trees of an interrupted run on the same rows and parameters; the result equals the uninterrupted run's. */
  readonly resume?: Checkpoint;
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  /** Iterations between two calls of `onCheckpoint`; 25 unless given. */
  readonly checkpointEvery?: number;
}

export interface TrainResult {
  readonly model: TrainedModel;
  /** Trees kept, or Newton steps taken. */
  readonly iterations: number;
  /** Of the returned model, rows weighted like the training rows' classes. NaN without validation rows. */
  readonly validation_log_loss: number;
}

export type ClassWeight = 'none' | 'balanced';
