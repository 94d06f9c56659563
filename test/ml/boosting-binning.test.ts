import { expect, test } from 'vitest';
import { binMatrix, cutBetween, FLOAT32_MAX, MISSING_BIN } from '../../ml/boosting/binning.ts';
import { sortColumn } from '../../ml/boosting/radix-sort.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { createRandom, normal } from '../../ml/random.ts';

const matrixOf = (...data: Float32Array[]): Matrix => ({
  columns: data.map((_, column) => `x${column}`),
  rows: data[0]!.length,
  data,
  target: new Uint8Array(data[0]!.length),
});
const binsOf = (matrix: Matrix, feature: number) =>
  [...binMatrix(matrix).words[feature >> 2]!].map((word) => (word >>> (8 * (feature & 3))) & 255);

/** The float32 after `value`, for positive values. */
function next(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}

test('cuts between neighbouring float32 values so that the left is <= the cut and the right is above it', () => {
  const random = createRandom(4);
  for (let i = 0; i < 2000; i++) {
    const left = Math.fround(Math.exp(20 * normal(random)));
    const cut = cutBetween(left, next(left));
    expect(cut).toBe(Math.fround(cut));
    expect(left <= cut && cut < next(left)).toBe(true);
    expect(-next(left) <= cutBetween(-next(left), -left) && cutBetween(-next(left), -left) < -left).toBe(true);
  }
});

test('cuts at the midpoint where there is room, and finitely beside infinite values', () => {
  expect(cutBetween(1, 2)).toBe(1.5);
  expect(cutBetween(-FLOAT32_MAX, FLOAT32_MAX)).toBeCloseTo(0, 12);
  expect(cutBetween(-Infinity, 5)).toBe(-FLOAT32_MAX);
  expect(cutBetween(5, Infinity)).toBe(5);
});

test('gives every row the first bin whose cut is not below its value, and missing values the missing bin', () => {
  const random = createRandom(9);
  const heavy = Float32Array.from({ length: 5000 }, () => (random() < 0.4 ? 0 : normal(random) ** 3));
  const gaps = heavy.map((value) => (random() < 0.2 ? NaN : value));
  const few = heavy.map((value) => Math.round(value));
  const wild = heavy.map((value, row) => (row % 7 === 0 ? Infinity : row % 11 === 0 ? -Infinity : value));
  const matrix = matrixOf(
    heavy,
    gaps,
    few,
    wild,
    Float32Array.from(heavy, () => NaN),
  );
  const { cuts } = binMatrix(matrix);
  matrix.data.forEach((column, feature) => {
    const expected = [...column].map((value) => {
      if (Number.isNaN(value)) return MISSING_BIN;
      const bin = cuts[feature]!.findIndex((cut) => value <= cut);
      return bin === -1 ? cuts[feature]!.length : bin;
    });
    expect(binsOf(matrix, feature)).toEqual(expected);
  });
});

test('gives each of few distinct values a bin, and many about equally full bins', () => {
  const random = createRandom(2);
  const many = Float32Array.from({ length: 51_000 }, () => normal(random));
  const few = many.map((_, row) => row % 255);
  const matrix = matrixOf(few, many);
  expect(binMatrix(matrix).cuts[0]).toHaveLength(255);
  const counts = new Array<number>(255).fill(0);
  for (const bin of binsOf(matrix, 1)) counts[bin]!++;
  expect(Math.min(...counts)).toBeGreaterThan(190);
  expect(Math.max(...counts)).toBeLessThan(210);
});

test('gives a very frequent value a bin of its own', () => {
  const random = createRandom(2);
  const column = Float32Array.from({ length: 10_000 }, () => (random() < 0.5 ? 0.25 : normal(random)));
  const bins = binsOf(matrixOf(column), 0);
  const own = bins[column.indexOf(0.25)];
  expect(new Set(column.filter((_, row) => bins[row] === own))).toEqual(new Set([0.25]));
});

test('sorts floats of both signs, zeros, infinities and equal values as a stable sort does, without NaN', () => {
  const random = createRandom(3);
  const specials = [0, -0, Infinity, -Infinity, NaN, 1e-42, -1e-42, 1, -1];
  const column = Float32Array.from({ length: 3000 }, (_, row) => specials[row % 20] ?? 1e3 * normal(random));
  const expected = [...column.keys()]
    .filter((row) => !Number.isNaN(column[row]))
    .sort((a, b) => column[a]! - column[b]! || a - b);
  // Infinity − Infinity is NaN, which `||` passes on to the row.
  const { rows, values } = sortColumn(column);
  expect([...rows]).toEqual(expected);
  expect([...values]).toEqual(expected.map((row) => column[row]! + 0));
});
