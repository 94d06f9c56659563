import { expect, test } from 'vitest';
import type { Matrix } from '../../ml/matrix.ts';
import { createRandom, normal } from '../../ml/random.ts';
import { expandGrid, trainCandidate } from '../../ml/train.ts';
import { definePipeline } from '../../pipelines/definition.ts';

const random = createRandom(1);
const values = Float32Array.from({ length: 300 }, () => normal(random));
const matrix: Matrix = {
  columns: ['x'],
  rows: 300,
  data: [values],
  target: Uint8Array.from(values, (value) => (value + normal(random) > 0 ? 1 : 0)),
};
const definition = definePipeline({
  name: 'p',
  target: { column: 'y' },
  features: { x: { type: 'numeric' } },
  candidates: [
    { algorithm: 'gradient_boosting', trees: [5, 10], max_leaves: [4, 8], min_rows_per_leaf: [5] },
    { algorithm: 'logistic_regression', l2: [0, 1] },
    { algorithm: 'gradient_boosting', trees: [20] },
  ],
});

test("expands a pipeline's candidates to every combination, in order, with ids counted per algorithm", () => {
  const grid = expandGrid(definition.candidates);
  expect(grid.map(({ id, hyperparameters: { trees, max_leaves, l2 } }) => [id, trees, max_leaves, l2])).toEqual([
    ['gradient_boosting-1', 5, 4, 1],
    ['gradient_boosting-2', 5, 8, 1],
    ['gradient_boosting-3', 10, 4, 1],
    ['gradient_boosting-4', 10, 8, 1],
    ['logistic_regression-1', undefined, undefined, 0],
    ['logistic_regression-2', undefined, undefined, 1],
    ['gradient_boosting-5', 20, 31, 1],
  ]);
  expect(Object.keys(grid[4]!.hyperparameters).sort()).toEqual(['class_weight', 'l2']);
});

test('trains every candidate of a grid by its hyper-parameters', () => {
  const models = expandGrid(definition.candidates).map((spec) => trainCandidate(spec, matrix, null, { seed: 1 }).model);
  expect(models.map((model) => (model.kind === 'gradient_boosting' ? model.trees.length : model.kind))).toEqual([
    5,
    5,
    10,
    10,
    'logistic_regression',
    'logistic_regression',
    20,
  ]);
});

test('refuses an unknown algorithm, an empty list and a missing hyper-parameter by name', () => {
  expect(() => expandGrid([{ algorithm: 'oracle', l2: [1] }])).toThrow("unknown algorithm 'oracle'");
  expect(() => expandGrid([{ algorithm: 'logistic_regression', l2: [] }])).toThrow("'l2' must list");
  const spec = { id: 'a', algorithm: 'gradient_boosting', hyperparameters: { l2: 1, class_weight: 'none' } } as const;
  expect(() => trainCandidate(spec, matrix, null, { seed: 1 })).toThrow("hyper-parameter 'trees' must be a number");
});
