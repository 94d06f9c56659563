import { baseLogOdds, classWeights, weightedLogLoss, type ClassWeights } from './class-weights.ts';
import { designMatrix, type Design } from './logistic-design.ts';
import type { Matrix } from './matrix.ts';
import type { LinearModel } from './model.ts';
import { solveSymmetric } from './cholesky.ts';
import { predictLogOdds } from './predict.ts';
import type { ClassWeight, TrainHooks, TrainResult } from './train-hooks.ts';

export interface LogisticParams {
  /** Penalty l2 / 2 · Σ coefficient² on the standardised columns, beside the summed log loss: 1 / C of scikit-learn. */
  readonly l2: number;
  readonly class_weight: ClassWeight;
}

const MAX_STEPS = 50;
const MAX_HALVINGS = 30;
/** Relative fall of the penalised loss below which the optimum is reached. */
const TOLERANCE = 1e-12;

/**
 * Logistic regression by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani & Friedman, The
 * Elements of Statistical Learning, 2nd ed., eq. 4.26): β ← β + (XᵀWX + λI)⁻¹ (Xᵀ(y − p) − λβ), the intercept not
 * penalised, the step halved until the penalised loss falls. Missing values are imputed by the mean, with an indicator.
 * Throws a RangeError unless the training rows have both classes and all values are finite or NaN.
 */
export function trainLogisticRegression(
  train: Matrix,
  validation: Matrix | null,
  { l2, class_weight }: LogisticParams,
  hooks: TrainHooks,
): TrainResult {
  const weights = classWeights(train.target, class_weight);
  const design = designMatrix(train);
  let beta = new Float64Array(design.columns.length + 1);
  beta[0] = baseLogOdds(train.target, weights);
  let loss = penalisedLoss(design, beta, train.target, weights, l2);
  let steps = 0;
  const validationLoss = () => (validation ? logLossOf(toModel(train, design, beta), validation, weights) : NaN);

  while (steps < MAX_STEPS) {
    const next = descend(design, beta, loss, train.target, weights, l2);
    if (!next) break;
    const converged = loss - next.loss <= TOLERANCE * loss;
    ({ beta, loss } = next);
    steps++;
    hooks.onProgress?.({ iteration: steps, of: MAX_STEPS, validation_log_loss: validationLoss() });
    if (converged) break;
  }
  return { model: toModel(train, design, beta), iterations: steps, validation_log_loss: validationLoss() };
}

interface Position {
  readonly beta: Float64Array<ArrayBuffer>;
  readonly loss: number;
}

/** One Newton step, halved until the loss falls; null when it cannot fall any more. */
function descend(
  design: Design,
  beta: Float64Array,
  loss: number,
  target: Uint8Array,
  weights: ClassWeights,
  l2: number,
): Position | null {
  const { gradient, hessian } = derivatives(design, beta, target, weights, l2);
  const step = solveSymmetric(hessian, gradient);
  for (let halving = 0, share = 1; halving < MAX_HALVINGS; halving++, share /= 2) {
    const moved = beta.map((value, j) => value - share * step[j]!);
    const movedLoss = penalisedLoss(design, moved, target, weights, l2);
    if (movedLoss < loss) return { beta: moved, loss: movedLoss };
  }
  return null;
}

function logOdds({ rows, columns }: Design, beta: Float64Array): Float64Array {
  const scores = new Float64Array(rows).fill(beta[0]!);
  columns.forEach((column, j) => {
    const coefficient = beta[j + 1]!;
    for (let row = 0; row < rows; row++) scores[row]! += coefficient * column[row]!;
  });
  return scores;
}

function penalisedLoss(
  design: Design,
  beta: Float64Array,
  target: Uint8Array,
  weights: ClassWeights,
  l2: number,
): number {
  const squares = beta.subarray(1).reduce((sum, value) => sum + value * value, 0);
  return design.rows * weightedLogLoss(logOdds(design, beta), target, weights) + (l2 / 2) * squares;
}

/** Of the penalised loss by beta; the hessian as rows of the lower triangle. */
function derivatives(design: Design, beta: Float64Array, target: Uint8Array, weights: ClassWeights, l2: number) {
  const { rows, columns } = design;
  const residual = new Float64Array(rows);
  const curvature = new Float64Array(rows);
  logOdds(design, beta).forEach((score, row) => {
    const probability = 1 / (1 + Math.exp(-score));
    const label = target[row]!;
    residual[row] = weights[label]! * (probability - label);
    curvature[row] = weights[label]! * probability * (1 - probability);
  });
  const ones = new Float64Array(rows).fill(1);
  const all = [ones, ...columns];
  const gradient = Float64Array.from(all, (column, j) => dot(column, residual) + (j > 0 ? l2 * beta[j]! : 0));
  const weighted = new Float64Array(rows);
  const hessian = all.map((column, j) => {
    for (let row = 0; row < rows; row++) weighted[row] = column[row]! * curvature[row]!;
    return Float64Array.from({ length: j + 1 }, (_, k) => dot(all[k]!, weighted) + (k === j && j > 0 ? l2 : 0));
  });
  return { gradient, hessian };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function toModel(train: Matrix, design: Design, beta: Float64Array): LinearModel {
  return {
    kind: 'logistic_regression',
    columns: train.columns,
    impute: design.mean,
    mean: design.mean,
    scale: design.scale,
    coefficients: [...beta.subarray(1, train.columns.length + 1)],
    missing: design.indicators.map((column, k) => ({ column, coefficient: beta[train.columns.length + 1 + k]! })),
    intercept: beta[0]!,
  };
}

const logLossOf = (model: LinearModel, matrix: Matrix, weights: ClassWeights) =>
  weightedLogLoss(predictLogOdds(model, matrix), matrix.target, weights);
