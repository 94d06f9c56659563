import { trainGradientBoosting } from './boosting/train.ts';
import { trainLogisticRegression } from './logistic.ts';
import type { Matrix } from './matrix.ts';
import type { ClassWeight, TrainHooks, TrainResult } from './train-hooks.ts';

export type { Checkpoint, ClassWeight, TrainHooks, TrainingProgress, TrainResult } from './train-hooks.ts';

/** One algorithm with one set of hyper-parameters. */
export interface CandidateSpec {
  /** Algorithm and position in the grid, for example `gradient_boosting-2`. */
  readonly id: string;
  readonly algorithm: 'logistic_regression' | 'gradient_boosting';
  readonly hyperparameters: Record<string, number | string>;
}

/** A candidate as a pipeline declares it: every name but `algorithm` lists the values to try. */
export interface CandidateGrid {
  readonly algorithm: string;
  readonly [name: string]: unknown;
}

/**
 * Every combination of the listed values, the last name changing fastest; ids count per algorithm. Throws a RangeError
 * for an unknown algorithm or a hyper-parameter that is not a list of numbers or strings.
 */
export function expandGrid(candidates: readonly CandidateGrid[]): CandidateSpec[] {
  const counts = new Map<string, number>();
  return candidates.flatMap(({ algorithm, ...values }) =>
    combinations(Object.entries(values)).map((hyperparameters) => {
      const count = (counts.get(algorithm) ?? 0) + 1;
      counts.set(algorithm, count);
      return { id: `${algorithm}-${count}`, algorithm: knownAlgorithm(algorithm), hyperparameters };
    }),
  );
}

/** Trains one candidate on the calling thread. Throws a RangeError that names a missing or mistyped hyper-parameter. */
export function trainCandidate(
  { algorithm, hyperparameters }: CandidateSpec,
  train: Matrix,
  validation: Matrix | null,
  hooks: TrainHooks,
): TrainResult {
  const number = (name: string) => numberOf(hyperparameters, name);
  const common = { l2: number('l2'), class_weight: classWeightOf(hyperparameters) };
  if (algorithm === 'logistic_regression') return trainLogisticRegression(train, validation, common, hooks);
  const params = {
    ...common,
    trees: number('trees'),
    learning_rate: number('learning_rate'),
    max_leaves: number('max_leaves'),
    min_rows_per_leaf: number('min_rows_per_leaf'),
    early_stopping_rounds: number('early_stopping_rounds'),
  };
  return trainGradientBoosting(train, validation, params, hooks);
}

function combinations(entries: readonly [string, unknown][]): Record<string, number | string>[] {
  return entries.reduce<Record<string, number | string>[]>(
    (grid, [name, values]) =>
      grid.flatMap((point) => listOf(name, values).map((value) => ({ ...point, [name]: value }))),
    [{}],
  );
}

function listOf(name: string, values: unknown): (number | string)[] {
  const usable = (value: unknown) => typeof value === 'number' || typeof value === 'string';
  if (Array.isArray(values) && values.length > 0 && values.every(usable)) return values;
  throw new RangeError(`candidate: '${name}' must list at least one number or string`);
}

function knownAlgorithm(algorithm: string): CandidateSpec['algorithm'] {
  if (algorithm === 'logistic_regression' || algorithm === 'gradient_boosting') return algorithm;
  throw new RangeError(`candidate: unknown algorithm '${algorithm}'`);
}

function numberOf(hyperparameters: CandidateSpec['hyperparameters'], name: string): number {
  const value = hyperparameters[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RangeError(`hyper-parameter '${name}' must be a number, not ${value}`);
}

function classWeightOf({ class_weight }: CandidateSpec['hyperparameters']): ClassWeight {
  if (class_weight === 'none' || class_weight === 'balanced') return class_weight;
  throw new RangeError(`hyper-parameter 'class_weight' must be none or balanced, not ${class_weight}`);
}
