import { expect, test } from 'vitest';
import { trainGradientBoosting, type BoostingParams } from '../../ml/boosting/train.ts';
import type { Matrix } from '../../ml/matrix.ts';
import type { BoostedTrees, Tree } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { createRandom, normal } from '../../ml/random.ts';
import type { TrainHooks } from '../../ml/train-hooks.ts';

const params: BoostingParams = {
  trees: 40,
  learning_rate: 0.1,
  max_leaves: 8,
  min_rows_per_leaf: 10,
  l2: 1,
  class_weight: 'none',
  early_stopping_rounds: 10,
};

/** `positive` sees a row's values and answers the probability of class 1. */
function sample(rows: number, seed: number, positive: (x: number[]) => number, columns = 3, missing = 0): Matrix {
  const random = createRandom(seed);
  const data = Array.from({ length: columns }, () => new Float32Array(rows));
  const target = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = data.map(() => (random() < missing ? NaN : Math.fround(normal(random))));
    x.forEach((value, column) => (data[column]![row] = value));
    target[row] = random() < positive(x) ? 1 : 0;
  }
  return { columns: data.map((_, column) => `x${column}`), rows, data, target };
}

const noisy = ([a, b]: number[]) => 1 / (1 + Math.exp(-2 * a! - b!));
const train = (matrix: Matrix, changes: Partial<BoostingParams> = {}, hooks: Partial<TrainHooks> = {}) =>
  trainGradientBoosting(matrix, null, { ...params, ...changes }, { seed: 1, ...hooks }).model as BoostedTrees;

function accuracy(model: BoostedTrees, matrix: Matrix): number {
  const probabilities = predictProbabilities(model, matrix);
  return probabilities.filter((p, row) => p >= 0.5 === (matrix.target[row] === 1)).length / matrix.rows;
}

const isLeaf = (tree: Tree, node: number) => tree.feature[node] === -1;
const leavesOf = (tree: Tree) => [...tree.feature.keys()].filter((node) => isLeaf(tree, node));

test('learns an exclusive-or, which no single column tells', () => {
  const xor = ([a, b]: number[]) => (a! * b! > 0 ? 0.95 : 0.05);
  const model = train(sample(4000, 1, xor));
  expect(accuracy(model, sample(2000, 2, xor))).toBeGreaterThan(0.93);
});

test('learns from which values are missing, also where the values present say nothing', () => {
  const gap = ([a]: number[]) => (Number.isNaN(a) ? 0.95 : 0.05);
  const model = train(sample(2000, 1, gap, 2, 0.4));
  expect(accuracy(model, sample(2000, 2, gap, 2, 0.4))).toBeGreaterThan(0.93);
});

test('sends missing values to the side where their rows belong', () => {
  const low = ([a]: number[]) => (Number.isNaN(a) || a! < 0 ? 0.95 : 0.05);
  const high = ([a]: number[]) => (Number.isNaN(a) || a! > 0 ? 0.95 : 0.05);
  const stump = (positive: (x: number[]) => number) =>
    train(sample(2000, 1, positive, 1, 0.3), { trees: 1, max_leaves: 2 }).trees[0]!;
  expect(stump(low).missing_left[0]).toBe(1);
  expect(stump(high).missing_left[0]).toBe(0);
});

test('sends values that are missing only in prediction where most training rows went', () => {
  const rare = ([a]: number[]) => (a! > 1 ? 0.95 : 0.05);
  expect(train(sample(2000, 1, rare, 1), { trees: 1, max_leaves: 2 }).trees[0]!.missing_left[0]).toBe(1);
});

test('keeps max_leaves and min_rows_per_leaf in every tree, and each cover is the sum of its children', () => {
  const model = train(sample(3000, 1, noisy), { max_leaves: 6, min_rows_per_leaf: 150 });
  for (const tree of model.trees) {
    const leaves = leavesOf(tree);
    expect(leaves.length).toBeLessThanOrEqual(6);
    expect(leaves.length).toBeGreaterThan(1);
    expect(Math.min(...leaves.map((leaf) => tree.cover[leaf]!))).toBeGreaterThanOrEqual(150);
    expect(tree.cover[0]).toBe(3000);
    tree.feature.forEach((feature, node) => {
      if (feature >= 0) expect(tree.cover[node]).toBe(tree.cover[tree.left[node]!]! + tree.cover[tree.right[node]!]!);
    });
  }
});

test('counts in cover the rows that reach a node in prediction', () => {
  const matrix = sample(1500, 3, noisy, 3, 0.1);
  const tree = train(matrix, { trees: 1 }).trees[0]!;
  const reached = tree.feature.map(() => 0);
  for (let row = 0; row < matrix.rows; row++) {
    let node = 0;
    for (;;) {
      reached[node]!++;
      if (isLeaf(tree, node)) break;
      const value = matrix.data[tree.feature[node]!]![row]!;
      const left = Number.isNaN(value) ? tree.missing_left[node] === 1 : value <= tree.threshold[node]!;
      node = (left ? tree.left : tree.right)[node]!;
    }
  }
  expect(tree.cover).toEqual(reached);
});

test('gives each leaf the Newton step of its rows', () => {
  const matrix = sample(1000, 5, noisy, 2);
  const { init, trees } = train(matrix, { trees: 1, max_leaves: 2, learning_rate: 0.5 });
  const [tree] = trees;
  const p = 1 / (1 + Math.exp(-init));
  const rows = [...matrix.target.keys()].filter((row) => matrix.data[tree!.feature[0]!]![row]! <= tree!.threshold[0]!);
  const gradient = rows.reduce((sum, row) => sum + p - matrix.target[row]!, 0);
  expect(tree!.value[tree!.left[0]!]).toBeCloseTo((0.5 * -gradient) / (rows.length * p * (1 - p) + 1), 5);
});

test('chooses the root cut that an exhaustive search over all cuts finds', () => {
  const matrix = sample(200, 8, noisy, 2);
  const { init, trees } = train(matrix, { trees: 1, max_leaves: 2, min_rows_per_leaf: 5 });
  const p = 1 / (1 + Math.exp(-init));
  const score = (rows: number[]) =>
    rows.reduce((sum, row) => sum + p - matrix.target[row]!, 0) ** 2 / (rows.length * p * (1 - p) + 1);
  const gainAt = (column: number, cut: number) => {
    const isLeft = (row: number) => matrix.data[column]![row]! <= cut;
    const all = [...matrix.target.keys()];
    const [left, right] = [all.filter(isLeft), all.filter((row) => !isLeft(row))];
    return Math.min(left.length, right.length) < 5 ? -Infinity : score(left) + score(right);
  };
  const best = Math.max(...matrix.data.flatMap((values, column) => [...values].map((cut) => gainAt(column, cut))));
  expect(gainAt(trees[0]!.feature[0]!, trees[0]!.threshold[0]!)).toBeCloseTo(best, 9);
});

test('gives the same trees for the same rows, and others for other rows', () => {
  const matrix = sample(1000, 1, noisy);
  expect(train(matrix)).toEqual(train(matrix));
  expect(train(sample(1000, 2, noisy))).not.toEqual(train(matrix));
});

test('gives the same trees in whatever order the rows come', () => {
  const matrix = sample(1000, 1, noisy, 3, 0.1);
  const reversed = {
    ...matrix,
    data: matrix.data.map((values) => values.toReversed()),
    target: matrix.target.toReversed(),
  };
  expect(train(reversed)).toEqual(train(matrix));
});

test('keeps the trees up to the smallest validation loss and stops when it has not fallen for a while', () => {
  const validation = sample(500, 2, noisy);
  const seen: number[] = [];
  const result = trainGradientBoosting(
    sample(500, 1, noisy),
    validation,
    { ...params, trees: 400, learning_rate: 0.3 },
    { seed: 1, onProgress: (progress) => void seen.push(progress.validation_log_loss) },
  );
  const best = seen.indexOf(Math.min(...seen)) + 1;
  expect(result.iterations).toBe(best);
  expect((result.model as BoostedTrees).trees).toHaveLength(best);
  expect(seen).toHaveLength(best + params.early_stopping_rounds);
  expect(result.validation_log_loss).toBe(seen[best - 1]);
  const loss = predictProbabilities(result.model, validation).reduce(
    (sum, p, row) => sum - Math.log(validation.target[row] ? p : 1 - p),
    0,
  );
  expect(result.validation_log_loss).toBeCloseTo(loss / validation.rows, 10);
});

test('grows all trees without validation rows, and then knows no validation loss', () => {
  const result = trainGradientBoosting(sample(300, 1, noisy), null, { ...params, trees: 12 }, { seed: 1 });
  expect(result.iterations).toBe(12);
  expect(result.validation_log_loss).toBeNaN();
});

test('makes two classes weigh the same when balanced', () => {
  const rare = sample(3000, 1, ([a]) => (a! > 1 ? 0.3 : 0.02));
  const mean = (class_weight: BoostingParams['class_weight']) =>
    predictProbabilities(train(rare, { class_weight }), rare).reduce((sum, p) => sum + p, 0) / rare.rows;
  const share = rare.target.reduce((sum, label) => sum + label, 0) / rare.rows;
  expect(mean('none')).toBeCloseTo(share, 2);
  expect(mean('balanced')).toBeGreaterThan(2 * share);
  const balanced = train(rare, { class_weight: 'balanced' });
  expect(balanced.init).toBeCloseTo(0, 12);
  for (const tree of balanced.trees) expect(tree.cover[0]).toBeCloseTo(rare.rows, 6);
});

test('grows no split where every row is alike, and predicts the share of the class', () => {
  const constant = sample(200, 1, () => 0.3, 1);
  constant.data[0]!.fill(3);
  const model = train(constant, { trees: 3 });
  expect(model.trees.map(leavesOf)).toEqual([[0], [0], [0]]);
  const share = constant.target.reduce((sum, label) => sum + label, 0) / constant.rows;
  expect(predictProbabilities(model, constant)[0]).toBeCloseTo(share, 6);
});

test('refuses rows of one class only, with both counts', () => {
  const matrix = sample(50, 1, () => 0);
  expect(() => train(matrix)).toThrow(
    new RangeError('training rows: 0 positive and 50 negative; both classes are needed'),
  );
});

test('refuses to predict on other columns than it was trained on', () => {
  const model = train(sample(200, 1, noisy));
  const other = { ...sample(10, 1, noisy), columns: ['x1', 'x0', 'x2'] };
  expect(() => predictProbabilities(model, other)).toThrow(/trained on columns x0, x1, x2 but got x1, x0, x2/);
});
