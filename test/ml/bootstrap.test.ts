import { expect, test } from 'vitest';
import { bootstrapDifference, type BootstrapMetric } from '../../ml/bootstrap.ts';
import { evaluateBinary } from '../../ml/metrics/evaluation.ts';
import { createRandom, normal, type Random } from '../../ml/random.ts';

const METRICS: BootstrapMetric[] = ['roc_auc', 'pr_auc', 'log_loss', 'brier'];

/** Two noisy views of one hidden risk; the second is noisier by `extra`. Every third probability is coarse, for ties. */
function sample(random: Random, rows: number, extra: number) {
  const target = new Uint8Array(rows);
  const challenger = new Float64Array(rows);
  const production = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const risk = 1.5 * normal(random);
    target[row] = random() < sigmoid(risk - 0.5) ? 1 : 0;
    challenger[row] = coarse(row, sigmoid(risk - 0.5 + 0.5 * normal(random)));
    production[row] = coarse(row, sigmoid(risk - 0.5 + (0.5 + extra) * normal(random)));
  }
  return { target, challenger, production };
}
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const coarse = (row: number, p: number) => (row % 3 === 0 ? (Math.floor(p * 20) + 0.5) / 20 : p);

test.each(METRICS)('the estimate of %s is the plain difference and lies within its interval', (metric) => {
  const rows = sample(createRandom(1), 800, 0.5);
  const result = bootstrapDifference({ ...rows, metric, seed: 7, resamples: 300 })!;
  const ours = evaluateBinary(rows.target, rows.challenger, 0.5)[metric]!;
  const theirs = evaluateBinary(rows.target, rows.production, 0.5)[metric]!;
  expect(result.estimate).toBeCloseTo(ours - theirs, 12);
  expect(result.low).toBeLessThan(result.estimate);
  expect(result.high).toBeGreaterThan(result.estimate);
});

test.each(METRICS)('identical models differ by exactly 0 in %s', (metric) => {
  const { target, challenger } = sample(createRandom(2), 300, 0);
  const result = bootstrapDifference({ target, challenger, production: challenger.slice(), metric, seed: 1 });
  expect(result).toEqual({ estimate: 0, low: 0, high: 0, resamples: 1000 });
});

test.each(METRICS)(
  'a model equals itself in %s when one side answers in float32, certain mistakes included',
  (metric) => {
    const { target, challenger } = sample(createRandom(2), 300, 0);
    challenger[target.indexOf(1)] = 0;
    const production = Float32Array.from(challenger);
    expect(bootstrapDifference({ target, challenger, production, metric, seed: 1, resamples: 20 })).toMatchObject({
      estimate: 0,
      low: 0,
      high: 0,
    });
  },
);

test('the same seed gives the same interval, another seed another one', () => {
  const rows = sample(createRandom(3), 400, 0.5);
  const draw = (seed: number) => bootstrapDifference({ ...rows, metric: 'roc_auc', seed, resamples: 200 });
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

// Coverage of 200 intervals at 95 % has a standard error of 1.5 %.
test.each(['roc_auc', 'brier'] as const)('about 95 % of the intervals of %s cover the true difference', (metric) => {
  const random = createRandom(11);
  const whole = sample(random, 200_000, 0.4);
  const truth =
    evaluateBinary(whole.target, whole.challenger, 0.5)[metric]! -
    evaluateBinary(whole.target, whole.production, 0.5)[metric]!;
  const covered = Array.from({ length: 200 }, (_, seed) => {
    const { low, high } = bootstrapDifference({ ...sample(random, 250, 0.4), metric, seed, resamples: 200 })!;
    return low <= truth && truth <= high;
  });
  const share = covered.filter(Boolean).length / covered.length;
  expect(share).toBeGreaterThan(0.9);
  expect(share).toBeLessThan(0.995);
});

test('a single positive row still gives an interval: resamples without it are redrawn', () => {
  const target = Uint8Array.of(1, 0, 0, 0);
  const result = bootstrapDifference({
    target,
    challenger: Float64Array.of(0.9, 0.3, 0.2, 0.1),
    production: Float64Array.of(0.25, 0.3, 0.2, 0.1),
    metric: 'roc_auc',
    seed: 1,
  })!;
  expect(result.estimate).toBeCloseTo(1 / 3, 12);
  expect([result.low, result.high].every((bound) => bound >= 0 && bound <= 1)).toBe(true);
});

test('rows that do not define the metric give null', () => {
  const scores = { challenger: Float64Array.of(0.1, 0.2), production: Float64Array.of(0.2, 0.1) };
  const difference = (metric: BootstrapMetric) =>
    bootstrapDifference({ target: Uint8Array.of(0, 0), ...scores, metric, seed: 1, resamples: 10 });
  expect(difference('roc_auc')).toBeNull();
  expect(difference('pr_auc')).toBeNull();
  expect(difference('brier')).not.toBeNull();
});
