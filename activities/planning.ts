import type { CandidateSpec } from '../ml/train.ts';
import { expandGrid } from '../ml/train.ts';
import { endpointNameOf, modelNameOf, type PipelineDefinition } from '../pipelines/definition.ts';
import type { Sha256 } from './artifacts.ts';

/** What the workflow itself must know of the definition. */
export interface RunPlan {
  readonly model: string;
  readonly endpoint: string;
  readonly candidates: readonly CandidateSpec[];
  readonly promotion: 'automatic' | 'manual';
}
export interface PlanningDeps {
  readonly loadDefinition: (sha256: Sha256) => Promise<PipelineDefinition>;
}
export type PlanningActivities = ReturnType<typeof createPlanningActivities>;

export const createPlanningActivities = ({ loadDefinition }: PlanningDeps) => ({
  planRun: async (definitionSha256: Sha256): Promise<RunPlan> => {
    const definition = await loadDefinition(definitionSha256);
    return {
      model: modelNameOf(definition),
      endpoint: endpointNameOf(definition),
      candidates: expandGrid(definition.candidates),
      promotion: definition.promotion,
    };
  },
});
