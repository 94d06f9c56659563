import { expect, test } from 'vitest';
import { trainLogisticRegression, type LogisticParams } from '../../ml/logistic.ts';
import type { Matrix } from '../../ml/matrix.ts';
import type { LinearModel } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { createRandom, normal } from '../../ml/random.ts';

const matrixOf = (target: number[], ...data: number[][]): Matrix => ({
  columns: data.map((_, column) => `x${column}`),
  rows: target.length,
  data: data.map((column) => Float32Array.from(column)),
  target: Uint8Array.from(target),
});
const fit = (matrix: Matrix, params: Partial<LogisticParams> = {}) =>
  trainLogisticRegression(matrix, null, { l2: 1, class_weight: 'none', ...params }, { seed: 1 }).model as LinearModel;

const A = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const B = [2.5, 1, 4, 0.5, 3, 2, 5, 1.5, 3.5, 4.5];

// scikit-learn 1.9.1: LogisticRegression(C=1 / l2, tol=1e-14, solver='newton-cholesky') on columns scaled by their
// standard deviation.
const known = [
  {
    l2: 1,
    class_weight: 'none',
    intercept: 0.02418137174457314,
    coefficients: [0.5866550456203763, 1.0740952955544052],
  },
  {
    l2: 10,
    class_weight: 'none',
    intercept: 0.0006605566570069898,
    coefficients: [0.18640906527909748, 0.2780831210614801],
  },
  {
    l2: 1,
    class_weight: 'balanced',
    intercept: -0.23521573340323645,
    coefficients: [1.0337385290102077, 0.6558206036751855],
  },
  {
    l2: 10,
    class_weight: 'balanced',
    intercept: -0.06391902009486461,
    coefficients: [0.2727042218426002, 0.207389715413412],
  },
] as const;

test.each(known)(
  'equals scikit-learn at l2 $l2, class weight $class_weight',
  ({ intercept, coefficients, ...params }) => {
    const target = params.class_weight === 'none' ? [0, 0, 1, 0, 0, 1, 1, 0, 1, 1] : [0, 0, 0, 0, 0, 1, 1, 0, 1, 1];
    const model = fit(matrixOf(target, A, B), params);
    expect(model.intercept).toBeCloseTo(intercept, 8);
    model.coefficients.forEach((coefficient, column) => expect(coefficient).toBeCloseTo(coefficients[column]!, 8));
  },
);

test('finds the closed form of one binary column without a penalty: the log-odds of each group', () => {
  const column = [0, 0, 0, 0, 0, 1, 1, 1, 1];
  const matrix = matrixOf([1, 0, 0, 0, 0, 1, 1, 1, 0], column);
  const probabilities = predictProbabilities(fit(matrix, { l2: 0 }), matrix);
  expect(probabilities[0]).toBeCloseTo(1 / 5, 8);
  expect(probabilities[8]).toBeCloseTo(3 / 4, 8);
});

test('stays finite on perfectly separable rows, with and without a penalty', () => {
  const matrix = matrixOf([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6]);
  for (const l2 of [0, 1]) {
    const model = fit(matrix, { l2 });
    expect([model.intercept, ...model.coefficients].every(Number.isFinite)).toBe(true);
    expect([...predictProbabilities(model, matrix)].map((p) => (p >= 0.5 ? 1 : 0))).toEqual([0, 0, 0, 1, 1, 1]);
  }
});

test('ignores a constant column, whatever its size', () => {
  const target = [0, 0, 1, 0, 0, 1, 1, 0, 1, 1];
  const constant = A.map(() => 1e7 + 0.1);
  for (const l2 of [0, 1]) {
    const model = fit(matrixOf(target, A, constant), { l2 });
    expect(model.coefficients[0]).toBeCloseTo(fit(matrixOf(target, A), { l2 }).coefficients[0]!, 8);
    expect(model.coefficients[1]).toBe(0);
  }
});

test('predicts the same with a column repeated, also where without a penalty its share is not determined', () => {
  const target = [0, 0, 1, 0, 0, 1, 1, 0, 1, 1];
  const once = matrixOf(target, A, B);
  const twice = matrixOf(
    target,
    A,
    B,
    A.map((value) => 2 * value + 3),
  );
  const expected = predictProbabilities(fit(once, { l2: 0 }), once);
  predictProbabilities(fit(twice, { l2: 0 }), twice).forEach((p, row) => expect(p).toBeCloseTo(expected[row]!, 6));
});

test('imputes the mean and learns what a missing value itself says', () => {
  const random = createRandom(1);
  const column = Array.from({ length: 400 }, () => (random() < 0.5 ? NaN : normal(random)));
  const target = column.map((value) => (random() < (Number.isNaN(value) ? 0.9 : 0.2) ? 1 : 0));
  const matrix = matrixOf(
    target,
    column,
    column.map(() => normal(random)),
  );
  const model = fit(matrix);
  expect(model.impute[0]).toBe(model.mean[0]);
  expect(model.missing.map((indicator) => indicator.column)).toEqual([0]);
  expect(model.missing[0]!.coefficient).toBeGreaterThan(2);
  const share = (rows: number[]) => rows.reduce((sum, row) => sum + target[row]!, 0) / rows.length;
  const missing = [...column.keys()].filter((row) => Number.isNaN(column[row]));
  expect(predictProbabilities(model, matrix)[missing[0]!]).toBeCloseTo(share(missing), 1);
});

test('takes a column that is missing everywhere', () => {
  const model = fit(matrixOf([0, 1, 0, 1], [1, 2, 3, 4], [NaN, NaN, NaN, NaN]), { l2: 0 });
  expect([model.intercept, ...model.coefficients, model.missing[0]!.coefficient].every(Number.isFinite)).toBe(true);
});

test('reports each Newton step and the validation log loss of the model it returns', () => {
  const validation = matrixOf([0, 1, 1], [2, 6, 9], [1, 2, 4]);
  const losses: number[] = [];
  const result = trainLogisticRegression(
    matrixOf([0, 0, 1, 0, 0, 1, 1, 0, 1, 1], A, B),
    validation,
    { l2: 1, class_weight: 'none' },
    { seed: 1, onProgress: (progress) => void losses.push(progress.validation_log_loss) },
  );
  expect(losses).toHaveLength(result.iterations);
  expect(result.iterations).toBeLessThan(12);
  const loss = predictProbabilities(result.model, validation).reduce(
    (sum, p, row) => sum - Math.log(validation.target[row] ? p : 1 - p) / 3,
    0,
  );
  expect(result.validation_log_loss).toBeCloseTo(loss, 12);
});

test('refuses an infinite value, naming the column', () => {
  expect(() => fit(matrixOf([0, 1], [1, 2], [1, Infinity]))).toThrow("column 'x1': infinite values have no mean");
});
