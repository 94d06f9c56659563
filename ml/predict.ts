import type { Matrix } from './matrix.ts';
import type { LinearModel, TrainedModel, Tree } from './model.ts';

/** Probability of the positive class per row. Throws a RangeError unless the matrix has the model's columns, in order. */
export function predictProbabilities(model: TrainedModel, matrix: Matrix): Float64Array {
  return predictLogOdds(model, matrix).map((score) => 1 / (1 + Math.exp(-score)));
}

/** Log-odds of the positive class per row. */
export function predictLogOdds(model: TrainedModel, matrix: Matrix): Float64Array {
  requireColumns(model.columns, matrix.columns);
  if (model.kind === 'logistic_regression') return linearLogOdds(model, matrix);
  const scores = new Float64Array(matrix.rows).fill(model.init);
  for (const tree of model.trees) addTree(tree, matrix, scores);
  return scores;
}

/** Adds the leaf values of `tree` to `scores`, one per row. */
export function addTree(tree: Tree, { data }: Matrix, scores: Float64Array): void {
  // Typed copies: the arrays of a tree are read once per row and level.
  const feature = Int32Array.from(tree.feature);
  const threshold = Float64Array.from(tree.threshold);
  const left = Int32Array.from(tree.left);
  const right = Int32Array.from(tree.right);
  for (let row = 0; row < scores.length; row++) {
    let node = 0;
    for (let column = feature[0]!; column >= 0; column = feature[node]!) {
      const value = data[column]![row]!;
      const goesLeft = value <= threshold[node]! || (value !== value && tree.missing_left[node] === 1);
      node = goesLeft ? left[node]! : right[node]!;
    }
    scores[row]! += tree.value[node]!;
  }
}

function linearLogOdds(model: LinearModel, { rows, data }: Matrix): Float64Array {
  const scores = new Float64Array(rows).fill(model.intercept);
  model.coefficients.forEach((coefficient, column) => {
    const values = data[column]!;
    const impute = model.impute[column]!;
    const mean = model.mean[column]!;
    const factor = coefficient / model.scale[column]!;
    for (let row = 0; row < rows; row++) {
      const value = values[row]!;
      scores[row]! += ((Number.isNaN(value) ? impute : value) - mean) * factor;
    }
  });
  for (const { column, coefficient } of model.missing) {
    data[column]!.forEach((value, row) => {
      if (Number.isNaN(value)) scores[row]! += coefficient;
    });
  }
  return scores;
}

function requireColumns(expected: readonly string[], actual: readonly string[]): void {
  if (expected.length === actual.length && expected.every((name, index) => name === actual[index])) return;
  throw new RangeError(`the model was trained on columns ${expected.join(', ')} but got ${actual.join(', ')}`);
}
