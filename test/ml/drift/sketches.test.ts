import { expect, test } from 'vitest';
import type { ColumnValues } from '../../../ml/drift/column-values.ts';
import { compareColumn, type CompareOptions } from '../../../ml/drift/compare.ts';
import { DRIFT_METHODS, type DriftMethod } from '../../../ml/drift/drift-report.ts';
import {
  mergeSketches,
  preparedFrom,
  sketchColumn,
  type ColumnSketch,
} from '../../../ml/drift/sketches/column-sketch.ts';
import { compareSketches } from '../../../ml/drift/sketches/compare-sketches.ts';
import type { NumericSketch } from '../../../ml/drift/sketches/numeric-sketch.ts';
import { createRandom, normal } from '../../../ml/random.ts';
import { categories, normals, numbers } from './samples.ts';
import { driftSettings } from './settings.ts';

const random = createRandom(11);
const throughJson = (sketch: ColumnSketch) => JSON.parse(JSON.stringify(sketch)) as ColumnSketch;

const options = (rows: { reference: number; current: number }, method?: DriftMethod): CompareOptions => ({
  column: 'x',
  role: 'feature',
  settings: driftSettings({ columns: { x: { method } } }),
  rows,
});

/** One column cut into windows of different sizes. */
function windowsOf(values: Float64Array, count: number): ColumnValues[] {
  const size = Math.floor(values.length / (count + 1));
  return Array.from({ length: count }, (_, i) => ({
    type: 'numeric',
    values: values.subarray(i * size, i === count - 1 ? values.length : (i + 1) * size),
  }));
}

function rankOf(values: Float64Array, limit: number): number {
  return values.reduce((rank, value) => rank + (value < limit ? 1 : 0), 0);
}

function expectRanksWithin(sketch: ColumnSketch, values: Float64Array) {
  const { sorted } = preparedFrom(sketch) as { sorted: Float64Array };
  const error = (sketch as NumericSketch).quantiles!.rank_error;
  for (const limit of [-2, -1, -0.3, 0, 0.5, 1.7]) {
    const rank = (rankOf(sorted, limit) / sorted.length) * values.length;
    expect(Math.abs(rank - rankOf(values, limit))).toBeLessThanOrEqual(error + values.length / sorted.length);
  }
  expect(error / values.length).toBeLessThan(0.03);
}

test('60 windows added up: no rank is further off than the sketch says, in whatever order they are merged', () => {
  const values = Float64Array.from({ length: 200_000 }, () => normal(random));
  const sketches = windowsOf(values, 60).map((column) => throughJson(sketchColumn(column)));
  const pairwise = (all: ColumnSketch[]): ColumnSketch =>
    all.length === 1
      ? all[0]!
      : mergeSketches(pairwise(all.slice(0, all.length >> 1)), pairwise(all.slice(all.length >> 1)));
  for (const merged of [sketches.reduce(mergeSketches), sketches.reduceRight(mergeSketches), pairwise(sketches)]) {
    expectRanksWithin(merged, values);
    expect(merged).toMatchObject({
      rows: 200_000,
      count: 200_000,
      range: [values.toSorted()[0], values.toSorted().at(-1)],
    });
    expect(JSON.stringify(merged).length).toBeLessThan(100_000);
  }
});

test('count, missing rows, mean and deviation add up without error', () => {
  const values = Float64Array.from({ length: 5000 }, (_, row) => (row % 10 === 0 ? NaN : 1e6 + normal(random)));
  const merged = preparedFrom(windowsOf(values, 7).map(sketchColumn).reduce(mergeSketches));
  const whole = preparedFrom(sketchColumn({ type: 'numeric', values }));
  expect(merged).toMatchObject({ rows: 5000, count: 4500 });
  if (merged.type !== 'numeric' || whole.type !== 'numeric') throw new Error('numbers have a numeric sketch');
  expect(merged.mean).toBeCloseTo(whole.mean, 8);
  expect(merged.deviation).toBeCloseTo(whole.deviation, 8);
});

test('windows added up are judged as their rows at once: every method near the whole', () => {
  const reference = normals(random, 20_000);
  const current = normals(random, 30_000, 0.5);
  const rows = { reference: 20_000, current: 30_000 };
  const sketches = windowsOf(current.values, 30).map(sketchColumn);
  for (const method of DRIFT_METHODS.filter((name) => name !== 'z_test')) {
    const whole = compareColumn(reference, current, options(rows, method));
    const added = compareSketches(sketchColumn(reference), sketches, options(rows, method));
    expect(Math.abs(added.score! - whole.score!), method).toBeLessThan(0.05); // logarithms of empty tails
    expect(added.drifted, method).toBe(whole.drifted);
    expect(added.mean.current).toBeCloseTo(whole.mean.current!, 9);
  }
});

test('few different numbers are counted: every method equals the whole exactly', () => {
  const reference = numbers(3000, () => Math.floor(random() * 12));
  const current = numbers(4000, () => Math.floor(random() * 13));
  const rows = { reference: 3000, current: 4000 };
  const sketches = windowsOf(current.values, 9).map((column) => throughJson(sketchColumn(column)));
  for (const method of DRIFT_METHODS) {
    const { score, distribution } = compareSketches(sketchColumn(reference), sketches, options(rows, method));
    const whole = compareColumn(reference, current, options(rows, method));
    expect(score, method).toBeCloseTo(whole.score!, 10);
    expect(distribution).toEqual(whole.distribution);
  }
});

test('numbers that are no longer few go on as quantiles that stand for the counted ones', () => {
  const few = sketchColumn(numbers(1000, () => Math.floor(random() * 40)));
  const many = sketchColumn(normals(random, 1000));
  const merged = mergeSketches(few, many);
  expect(merged).toMatchObject({ rows: 2000, count: 2000, counts: null });
  expect((preparedFrom(merged) as { sorted: Float64Array }).sorted).toHaveLength(2000);
});

test('up to 1,000 categories are counted exactly', () => {
  const names = Array.from({ length: 900 }, (_, i) => `c${i}`);
  const draw = (rows: number) =>
    categories(
      names,
      Array.from({ length: rows }, () => names[Math.floor(900 * random() ** 3)]!),
    );
  const [a, b] = [draw(4000), draw(5000)];
  const both = categories(
    names,
    [...a.codes, ...b.codes].map((code) => names[code]!),
  );
  const merged = throughJson(mergeSketches(sketchColumn(a), sketchColumn(b)));
  expect(merged).toEqual(sketchColumn(both));
  expect(merged).toMatchObject({ count_error: 0 });
});

test('of more categories the frequent ones are kept, each at most the error too low', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `c${i}`);
  const windows = Array.from({ length: 20 }, () => {
    const codes = Int32Array.from({ length: 10_000 }, () => Math.floor(5000 * random() ** 4));
    return { type: 'categorical', categories: names, codes } as const;
  });
  const truth = new Float64Array(5000);
  for (const { codes } of windows) for (const code of codes) truth[code]!++;
  for (const merged of [
    windows.map(sketchColumn).reduce(mergeSketches),
    windows.map(sketchColumn).reduceRight(mergeSketches),
  ]) {
    if (merged.type !== 'categorical') throw new Error('categories have a categorical sketch');
    expect(merged.counts.length).toBeLessThanOrEqual(1000);
    expect(merged.count_error).toBeGreaterThan(0);
    expect(merged.count_error).toBeLessThanOrEqual(200_000 / 1001);
    const kept = new Map(merged.counts);
    names.forEach((name, code) => {
      const tooLow = truth[code]! - (kept.get(name) ?? 0);
      expect(tooLow).toBeGreaterThanOrEqual(0);
      expect(tooLow).toBeLessThanOrEqual(merged.count_error);
    });
  }
});

test('a window without values adds nothing but its rows', () => {
  const empty = sketchColumn({ type: 'numeric', values: new Float64Array(50).fill(NaN) });
  const some = sketchColumn(normals(random, 100));
  const both = mergeSketches(empty, some);
  expect(both).toMatchObject({ rows: 150, count: 100, range: (some as NumericSketch).range });
  expect(JSON.stringify(mergeSketches(empty, empty))).not.toMatch(/NaN|null,null/);
});

test('sketches of different types are not merged, none is not compared', () => {
  const number = sketchColumn(normals(random, 10));
  expect(() => mergeSketches(number, sketchColumn(categories(['a'], ['a'])))).toThrow(RangeError);
  expect(() => compareSketches(number, [], options({ reference: 10, current: 0 }))).toThrow("'x' has no sketch");
});
