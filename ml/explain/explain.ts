import { encodeColumns } from '../feature-matrix.ts';
import { matrixColumns, type FittedFeatures } from '../features.ts';
import type { TrainedModel } from '../model.ts';
import { rawColumns } from '../raw-rows.ts';
import type { RawRow } from '../signature.ts';
import { linearContributions } from './linear.ts';
import { treeShap } from './tree-shap.ts';

/** What a model's answers are explained with; stored with the model version as JSON. */
export interface Explainable {
  readonly model: TrainedModel;
  readonly features: FittedFeatures;
}

/** Why a row got its probability: log-odds = base_value + Σ contributions. */
export interface Explanation {
  readonly method: 'tree_shap' | 'linear';
  readonly unit: 'log_odds';
  readonly base_value: number;
  /** By input or derived feature, the largest first. */
  readonly contributions: Readonly<Record<string, number>>;
}
export type Explain = (rows: readonly RawRow[]) => Explanation[];

/** Explains raw rows as the served model takes them. */
export function createExplain({ model, features }: Explainable): Explain {
  const names = matrixColumns(features);
  const linear = model.kind === 'logistic_regression';
  const { base, add } = linear ? linearContributions(model) : treeShap(model);
  const explained = { method: linear ? 'linear' : 'tree_shap', unit: 'log_odds', base_value: base } as const;
  return (rows) => {
    const columns = encodeColumns(features, rawColumns(features.inputs, rows));
    return rows.map((_, row) => {
      const contributions = new Float64Array(names.length);
      add(
        Float32Array.from(columns, (column) => column[row]!),
        contributions,
      );
      return { ...explained, contributions: byName(names, contributions) };
    });
  };
}

function byName(names: readonly string[], contributions: Float64Array): Record<string, number> {
  const named = names.map((name, index) => [name, contributions[index]!] as const);
  return Object.fromEntries(named.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)));
}
