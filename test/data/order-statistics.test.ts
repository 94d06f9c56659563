import { expect, test } from 'vitest';
import { orderStatistics } from '../../data/order-statistics.ts';
import { numericProfile } from '../../data/profile.ts';
import { createRandom, normal } from '../../ml/random.ts';

test('ranks agree with sorting, for both signs, ties, extremes and missing values', () => {
  const random = createRandom(3);
  const values = Float32Array.from({ length: 5000 }, (_, i) => {
    if (i % 11 === 0) return NaN;
    if (i % 7 === 0) return Math.round(4 * normal(random));
    return normal(random) * 10 ** (60 * random() - 30);
  });
  values.set([3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -0, 0], 1);
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const ranks = [0, 1, 17, 1000, 2300, 2301, sorted.length - 2, sorted.length - 1];
  expect(orderStatistics(values, ranks)).toEqual(ranks.map((rank) => sorted[rank]! + 0));
});

test('a profile of one value, of no values and of a far outlier stays finite and whole', () => {
  expect(numericProfile(Float32Array.of(5, 5))).toMatchObject({ std: 0, histogram: { edges: [5, 5], counts: [2] } });
  expect(numericProfile(Float32Array.of(NaN))).toMatchObject({ count: 0, nulls: 1, mean: null, quantiles: {} });
  const values = Float32Array.from({ length: 1001 }, (_, i) => (i === 0 ? 1e30 : i));
  const { histogram } = numericProfile(values);
  expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(1001);
  expect(Math.max(...histogram.counts)).toBeLessThan(100);
});

test('distinct values are estimated within 2 %', () => {
  const values = Float32Array.from({ length: 200_000 }, (_, i) => i % 50_000);
  expect(Math.abs(numericProfile(values).distinct / 50_000 - 1)).toBeLessThan(0.02);
});
