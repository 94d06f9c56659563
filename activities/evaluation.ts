import type { ModelVersion } from '../db/schema/models.ts';
import type { CandidateSpec } from '../ml/train.ts';
import type { Evaluated, PreparedData, Sha256, TrainedCandidate } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface EvaluateInput {
  readonly definition: Sha256;
  readonly model: string;
  readonly candidates: readonly CandidateSpec[];
  readonly trained: readonly TrainedCandidate[];
  readonly prepared: PreparedData;
}
export interface EvaluationDeps {
  readonly productionVersion: (model: string) => Promise<ModelVersion | null>;
  /** Runs in the thread pool. */
  readonly evaluate: (
    input: Omit<EvaluateInput, 'model'> & { readonly production: ModelVersion | null },
    signal: AbortSignal,
  ) => Promise<Evaluated>;
}
export type EvaluationActivities = ReturnType<typeof createEvaluationActivities>;

export const createEvaluationActivities = ({ productionVersion, evaluate }: EvaluationDeps) => ({
  /** Picks the best candidate on validation, measures it on test, and holds it against production on the same rows. */
  evaluateCandidates: async ({ model, ...input }: EvaluateInput): Promise<Evaluated> => {
    const production = await productionVersion(model);
    return await heartbeating((signal) => evaluate({ ...input, production }, signal));
  },
});
