import { expect, test } from 'vitest';
import { createRandom } from '../../ml/random.ts';
import { fitTargetEncoding, outOfFoldCodes, randomFolds } from '../../ml/target-encoding.ts';

const logit = (p: number) => Math.fround(Math.log(p / (1 - p)));

test('a code is the smoothed log-odds of its category', () => {
  const column = { column: 'plan', categories: ['basic', 'pro'], codes: Int32Array.of(0, 0, 0, 1) };
  const encoding = fitTargetEncoding(column, Uint8Array.of(1, 1, 0, 0), 2);
  expect(encoding.column).toBe('plan');
  expect(encoding.categories).toEqual(['basic', 'pro']);
  // Overall rate 1/2, so m·p = 1: (2 + 1) / (3 + 2) and (0 + 1) / (1 + 2).
  expect(encoding.codes[0]).toBeCloseTo(logit(3 / 5), 6);
  expect(encoding.codes[1]).toBeCloseTo(logit(1 / 3), 6);
});

test('more smoothing pulls a rare category closer to the overall rate', () => {
  const column = { column: 'c', categories: [1, 2], codes: Int32Array.of(0, 1, 1, 1, 1, 1) };
  const target = Uint8Array.of(1, 1, 0, 1, 0, 0);
  const weak = fitTargetEncoding(column, target, 1).codes[0]!;
  const strong = fitTargetEncoding(column, target, 100).codes[0]!;
  expect(Math.abs(strong)).toBeLessThan(Math.abs(weak));
});

test('a category without a training row has no code, and missing rows count for none', () => {
  const column = { column: 'c', categories: ['never', 'seen'], codes: Int32Array.of(1, -1, 1, -1) };
  expect(fitTargetEncoding(column, Uint8Array.of(1, 1, 0, 0)).categories).toEqual(['seen']);
});

test("a row's out-of-fold code does not change with its own answer", () => {
  const codes = Int32Array.from({ length: 60 }, (_, row) => row % 3);
  const column = { column: 'c', categories: ['a', 'b', 'c'], codes };
  const target = Uint8Array.from(codes, (_, row) => (row % 7 < 3 ? 1 : 0));
  const folds = randomFolds(60, 7);
  const before = outOfFoldCodes(column, target, folds);
  // Swap two answers of one fold and category's complement: the overall rate stays the same.
  const own = 0;
  const other = [...codes.keys()].find((row) => codes[row] !== codes[own] && target[row] !== target[own])!;
  const changed = Uint8Array.from(target);
  [changed[own], changed[other]] = [target[other]!, target[own]!];
  const after = outOfFoldCodes(column, changed, folds);
  expect(after[own]).toBe(before[own]);
  const sameCategory = [...codes.keys()].find((row) => codes[row] === codes[own] && folds[row] !== folds[own])!;
  expect(after[sameCategory]).not.toBe(before[sameCategory]);
});

test('out-of-fold codes tell nothing where categories tell nothing, full codes do', () => {
  // Every category has two rows and the target is a coin: a code fitted on all rows leaks the answer.
  const rows = 4000;
  const codes = Int32Array.from({ length: rows }, (_, row) => row >> 1);
  const random = createRandom(3);
  const target = Uint8Array.from({ length: rows }, () => (random() < 0.5 ? 1 : 0));
  const column = { column: 'id', categories: Array.from({ length: rows / 2 }, (_, c) => c), codes };
  const full = fitTargetEncoding(column, target, 1).codes;
  const fullCodes = Float32Array.from(codes, (code) => full[code]!);
  expect(correlation(fullCodes, target)).toBeGreaterThan(0.6);
  expect(Math.abs(correlation(outOfFoldCodes(column, target, randomFolds(rows, 1), 1), target))).toBeLessThan(0.1);
});

test('is NaN for a missing category and for one that no other fold has', () => {
  const column = { column: 'c', categories: ['a', 'alone'], codes: Int32Array.of(0, 0, -1, 1, 0) };
  const encoded = outOfFoldCodes(column, Uint8Array.of(1, 0, 1, 0, 1), Uint8Array.of(0, 1, 0, 1, 1));
  expect([...encoded].map((code) => Number.isNaN(code))).toEqual([false, false, true, true, false]);
});

test('folds are the same for the same seed and about equally large', () => {
  const folds = randomFolds(10_000, 42);
  expect(randomFolds(10_000, 42)).toEqual(folds);
  expect(randomFolds(10_000, 43)).not.toEqual(folds);
  for (let fold = 0; fold < 5; fold++) {
    const size = folds.filter((value) => value === fold).length;
    expect(size).toBeGreaterThan(1800);
    expect(size).toBeLessThan(2200);
  }
});

test('refuses a single class, unequal lengths and a code without a category', () => {
  const column = { column: 'plan', categories: ['a'], codes: Int32Array.of(0, 0) };
  expect(() => fitTargetEncoding(column, Uint8Array.of(1, 1))).toThrow("'plan': the target has only one class");
  expect(() => fitTargetEncoding(column, Uint8Array.of(1))).toThrow("'plan': 2 rows but 1 targets");
  expect(() => outOfFoldCodes(column, Uint8Array.of(1, 0), Uint8Array.of(0))).toThrow("'plan': 2 rows but 1 folds");
  const wrong = { ...column, codes: Int32Array.of(0, 1) };
  expect(() => fitTargetEncoding(wrong, Uint8Array.of(1, 0))).toThrow("'plan': code 1 has no category");
});

function correlation(x: Float32Array, y: Uint8Array): number {
  const rows = [...x.keys()].filter((row) => !Number.isNaN(x[row]!));
  const mean = (of: (row: number) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const [mx, my] = [mean((row) => x[row]!), mean((row) => y[row]!)];
  const covariance = (a: (row: number) => number, b: (row: number) => number) => mean((row) => a(row) * b(row));
  const dx = (row: number) => x[row]! - mx;
  const dy = (row: number) => y[row]! - my;
  return covariance(dx, dy) / Math.sqrt(covariance(dx, dx) * covariance(dy, dy));
}
