/**
 * Logistic regression over matrix columns. With x the column value, or `impute` where it is NaN:
 * z = intercept + Σ coefficients[j] · (x_j − mean[j]) / scale[j] + Σ missing[k].coefficient · [x_k is NaN]
 */
export interface LinearModel {
  readonly kind: 'logistic_regression';
  readonly columns: readonly string[];
  readonly impute: readonly number[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly coefficients: readonly number[];
  /** Indicators for columns that had missing values in training. */
  readonly missing: readonly { readonly column: number; readonly coefficient: number }[];
  readonly intercept: number;
}

/** Nodes in arrays; node 0 is the root. A leaf has `feature` −1. A row goes left when x <= threshold. */
export interface Tree {
  readonly feature: readonly number[];
  /** float32 values: `Math.fround` of the cut. */
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** 1 where NaN goes left. */
  readonly missing_left: readonly number[];
  /** Leaf value in log-odds, already times the learning rate; float32. 0 for inner nodes. */
  readonly value: readonly number[];
  /** Sum of training weights in the node, for TreeSHAP. */
  readonly cover: readonly number[];
}

/** z = init + Σ tree leaf values; probability = 1 / (1 + exp(−z)). */
export interface BoostedTrees {
  readonly kind: 'gradient_boosting';
  readonly columns: readonly string[];
  readonly init: number;
  readonly trees: readonly Tree[];
}

export type TrainedModel = LinearModel | BoostedTrees;
