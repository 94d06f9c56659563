import type { RawRow } from '../ml/signature.ts';
import { battle, battleRows } from './battle.ts';
import { churn, churnRows } from './churn.ts';
import { creditDefault, creditDefaultRows } from './credit-default.ts';
import type { PipelineDefinition } from './definition.ts';

export interface ReadyPipeline {
  readonly definition: PipelineDefinition;
  /** Sample rows, features and target; same seed, same rows. `seed` is an unsigned 32-bit integer. */
  readonly rows: (rows: number, seed: number) => Generator<RawRow>;
}

/** The pipelines that come with Anneal, by name. */
export const READY_PIPELINES = {
  churn: { definition: churn, rows: churnRows },
  'credit-default': { definition: creditDefault, rows: creditDefaultRows },
  battle: { definition: battle, rows: battleRows },
} as const satisfies Record<string, ReadyPipeline>;

export type ReadyPipelineName = keyof typeof READY_PIPELINES;
