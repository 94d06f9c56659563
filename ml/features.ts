/** A raw feature as the served model takes it. The input's name is the column's name. */
export interface InputColumn {
  readonly name: string;
  readonly type: 'numeric' | 'boolean' | 'categorical_string' | 'categorical_integer';
  readonly nullable: boolean;
}

/** Category → float32 code, learned on the training split. Unknown and missing categories become NaN. */
export interface CategoricalEncoding {
  readonly column: string;
  /** Distinct categories; strings for `categorical_string`, integers for `categorical_integer`. */
  readonly categories: readonly (string | number)[];
  readonly codes: readonly number[];
}

/**
 * Everything needed to turn a raw row into a row of the matrix. Matrix columns are: every input in order (categoricals
 * as their code, booleans as 0/1), then every derived expression in order. Plain JSON, content-addressed.
 */
export interface FittedFeatures {
  readonly inputs: readonly InputColumn[];
  readonly encodings: readonly CategoricalEncoding[];
  readonly derived: readonly { readonly name: string; readonly expression: string }[];
}

export const matrixColumns = (features: FittedFeatures): string[] => [
  ...features.inputs.map((input) => input.name),
  ...features.derived.map((derived) => derived.name),
];
