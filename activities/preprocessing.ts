import type { MadeDataset, PreparedData, Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface PreprocessInput {
  readonly definition: Sha256;
  readonly dataset: MadeDataset;
}
export interface PreprocessingDeps {
  /** Runs in the thread pool. */
  readonly prepare: (input: { definition: Sha256; parquet: Sha256 }, signal: AbortSignal) => Promise<PreparedData>;
}
export type PreprocessingActivities = ReturnType<typeof createPreprocessingActivities>;

export const createPreprocessingActivities = ({ prepare }: PreprocessingDeps) => ({
  /** Splits by row hash, fits the encoders on the train split and stores float32 matrices. */
  preprocess: ({ definition, dataset }: PreprocessInput): Promise<PreparedData> =>
    heartbeating((signal) => prepare({ definition, parquet: dataset.parquet }, signal)),
});
