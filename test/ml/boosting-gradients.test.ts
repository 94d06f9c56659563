import { expect, test } from 'vitest';
import { createGradients, hessianOf, rowsOf, updateGradients } from '../../ml/boosting/gradients.ts';
import { binMatrix } from '../../ml/boosting/binning.ts';
import { createTreeGrower } from '../../ml/boosting/grow.ts';
import { classWeights } from '../../ml/class-weights.ts';
import { createRandom, normal } from '../../ml/random.ts';

const ROWS = 20_000;
const random = createRandom(6);
const scores = Float64Array.from({ length: ROWS }, () => 3 * normal(random));
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

/** One positive row in `every`. */
function gradientsOf(every: number, policy: 'none' | 'balanced') {
  const target = Uint8Array.from({ length: ROWS }, (_, row) => (row % every === 0 ? 1 : 0));
  const weights = classWeights(target, policy);
  const gradients = createGradients(ROWS);
  const total = updateGradients(gradients, scores, target, weights);
  return { gradients, total, target, weights };
}

test('sums to exactly the same in any order, and the parts of a sum add up exactly', () => {
  const { gradients, total } = gradientsOf(7, 'balanced');
  for (const key of ['gradient', 'packed'] as const) {
    const values = gradients[key];
    expect(sum(values.toReversed())).toBe(total[key]);
    expect(sum(values.toSorted())).toBe(total[key]);
    expect(total[key] - sum(values.subarray(0, 7001))).toBe(sum(values.subarray(7001)));
  }
});

test.each([
  [2, 'none'],
  [ROWS, 'balanced'],
] as const)('holds rows and derivatives with one positive row in %i, class weight %s', (every, policy) => {
  const { gradients, total, target, weights } = gradientsOf(every, policy);
  const { unit } = gradients;
  expect(rowsOf(total.packed, unit)).toBe(ROWS);
  const p = scores.map((score) => 1 / (1 + Math.exp(-score)));
  const gradient = p.map((value, row) => weights[target[row]!]! * (value - target[row]!));
  const hessian = p.map((value, row) => weights[target[row]!]! * value * (1 - value));
  expect(total.gradient).toBeCloseTo(sum(gradient), 5);
  expect(hessianOf(total.packed, unit) / sum(hessian)).toBeCloseTo(1, 5);
  const errors = gradients.packed.map((packed, row) => Math.abs(packed - unit - hessian[row]!));
  expect(Math.max(...errors)).toBeLessThan(1e-6);
});

test('grows the same tree whether histograms are held and subtracted or built again for want of memory', () => {
  const data = [1, 2, 3, 4, 5].map(() => Float32Array.from({ length: ROWS }, () => normal(random)));
  const target = Uint8Array.from({ length: ROWS }, (_, row) => (data[0]![row]! * data[4]![row]! > 0.3 ? 1 : 0));
  const gradients = createGradients(ROWS);
  const total = updateGradients(gradients, scores, target, [1, 1]);
  const matrix = binMatrix({ columns: ['a', 'b', 'c', 'd', 'e'], rows: ROWS, data, target });
  const rules = { max_leaves: 40, min_rows_per_leaf: 5, l2: 0 };
  const [held, rebuilt] = [1e9, 0].map((bytes) => createTreeGrower(matrix, rules, bytes)(gradients, total));
  expect(rebuilt).toEqual(held);
  expect(held!.nodes).toHaveLength(79);
});
