import { expect, test } from 'vitest';
import type { Tree } from '../../../ml/model.ts';
import { createRandom, type Random } from '../../../ml/random.ts';
import { treeShap } from '../../../ml/explain/tree-shap.ts';
import { expectedLeaf, randomRow, randomTree, shapleyValues } from './trees.ts';

const COLUMNS = 6;
const contributionsOf = (trees: readonly Tree[], row: Float32Array) => {
  const shap = treeShap({ init: -0.4, trees });
  const out = new Float64Array(row.length);
  shap.add(row, out);
  return { base: shap.base, contributions: [...out] };
};
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const logOdds = (trees: readonly Tree[], row: Float32Array) =>
  -0.4 + sum(trees.map((tree) => expectedLeaf(tree, row, () => true)));

test('contributions are the Shapley values of the definition, on paths that split a column again and again', () => {
  const random = createRandom(1);
  for (let round = 0; round < 200; round++) {
    const tree = randomTree(random, COLUMNS, 1 + Math.floor(random() * 24), random());
    const row = randomRow(random, COLUMNS);
    const expected = shapleyValues(COLUMNS, (known) => expectedLeaf(tree, row, known));
    const { base, contributions } = contributionsOf([tree], row);
    expect(base).toBeCloseTo(-0.4 + expectedLeaf(tree, row, () => false), 12);
    expect(farthest(contributions, expected)).toBeLessThan(1e-12);
  }
});

const shapes: [string, (random: Random) => Tree[], number][] = [
  ['100 trees of 31 leaves', (random) => Array.from({ length: 100 }, () => randomTree(random, 20, 31, 0.4)), 20],
  ['trees that are single leaves', (random) => [1, 1, 2].map((leaves) => randomTree(random, 20, leaves)), 20],
  ['a chain that splits 150 columns', (random) => [randomTree(random, 150, 400, 0.999)], 150],
];
test.each(shapes)('%s: base and contributions add up to the log-odds, values missing or not', (_, grow, columns) => {
  const random = createRandom(2);
  for (let round = 0; round < 20; round++) {
    const trees = grow(random);
    const row = randomRow(random, columns);
    const { base, contributions } = contributionsOf(trees, row);
    expect(Math.abs(sum([base, ...contributions]) - logOdds(trees, row))).toBeLessThan(1e-9);
  }
});

test('a value on a cut goes left, infinities go to the ends, and a missing one where the tree says', () => {
  const tree = (missingLeft: number): Tree => ({
    feature: [0, -1, 0, -1, -1],
    threshold: [1, 0, 2, 0, 0],
    left: [1, -1, 3, -1, -1],
    right: [2, -1, 4, -1, -1],
    missing_left: [missingLeft, 0, 1, 0, 0],
    value: [0, 1, 0, 2, 3],
    cover: [4, 2, 2, 1, 1],
  });
  const leafOf = (x: number, missingLeft = 0) => {
    const { base, contributions } = contributionsOf([tree(missingLeft)], Float32Array.of(x));
    expect(base).toBeCloseTo(-0.4 + 1.75, 12);
    return sum([base, ...contributions]) + 0.4;
  };
  for (const [x, leaf] of [
    [-Infinity, 1],
    [1, 1],
    [1.5, 2],
    [2, 2],
    [Infinity, 3],
    [NaN, 2],
  ] as const)
    expect(leafOf(x)).toBeCloseTo(leaf, 12);
  expect(leafOf(NaN, 1)).toBeCloseTo(1, 12);
});

function farthest(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return actual.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
}
