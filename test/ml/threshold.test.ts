import { expect, test } from 'vitest';
import { confusionAt, f1 } from '../../ml/metrics/confusion.ts';
import { createRandom } from '../../ml/random.ts';
import { maxF1Threshold } from '../../ml/threshold.ts';

test('no other threshold has a better F1', () => {
  const random = createRandom(3);
  const probability = Float64Array.from({ length: 500 }, () => Math.round(random() * 100) / 100);
  const target = Uint8Array.from(probability, (p) => (random() < p ** 3 ? 1 : 0));
  const best = f1(confusionAt(target, probability, maxF1Threshold(target, probability)))!;
  const others = Array.from({ length: 101 }, (_, i) => f1(confusionAt(target, probability, i / 100))!);
  expect(best).toBeCloseTo(Math.max(...others), 12);
});

test('the threshold is a float32 number midway between two probabilities', () => {
  const threshold = maxF1Threshold(Uint8Array.of(1, 1, 0, 0), Float64Array.of(0.9, 0.7, 0.4, 0.1));
  expect(threshold).toBe(Math.fround((Math.fround(0.7) + Math.fround(0.4)) / 2));
});

test('separates neighbouring float32 probabilities', () => {
  const below = Math.fround(0.3);
  const above = Math.fround(below + 2 ** -25);
  const probability = Float32Array.of(above, below);
  const threshold = maxF1Threshold(Uint8Array.of(1, 0), probability);
  expect(confusionAt(Uint8Array.of(1, 0), probability, threshold)).toEqual({ tp: 1, fp: 0, tn: 1, fn: 0 });
});

test('a model that cannot tell the classes apart calls every row positive', () => {
  const probability = Float64Array.of(0.2, 0.2, 0.2);
  expect(confusionAt(Uint8Array.of(1, 0, 0), probability, maxF1Threshold(Uint8Array.of(1, 0, 0), probability))).toEqual(
    {
      tp: 1,
      fp: 2,
      tn: 0,
      fn: 0,
    },
  );
});

test('refuses rows without a positive one', () => {
  expect(() => maxF1Threshold(Uint8Array.of(0, 0), Float64Array.of(0.1, 0.2))).toThrow(/at least one positive row/);
});
