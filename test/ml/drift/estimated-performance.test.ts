import { expect, test } from 'vitest';
import { checkCalibration, estimatePerformance } from '../../../ml/drift/estimated-performance.ts';
import { evaluateBinary } from '../../../ml/metrics/evaluation.ts';
import { createRandom } from '../../../ml/random.ts';

const ROWS = 50_000;
const THRESHOLD = 0.4;

/** Probabilities from a seed, and labels that happen with `truth` of them. */
function outcomes(truth: (p: number) => number) {
  const random = createRandom(7);
  const probability = Float64Array.from({ length: ROWS }, () => random() ** 2);
  return { probability, target: Uint8Array.from(probability, (p) => (random() < truth(p) ? 1 : 0)) };
}

test('with right probabilities the estimate is what labels show: within 0.01 on 50,000 rows', () => {
  const { probability, target } = outcomes((p) => p);
  const estimate = estimatePerformance(probability, THRESHOLD);
  const realised = evaluateBinary(target, probability, THRESHOLD);
  expect(Object.keys(estimate)).toEqual(['accuracy', 'precision', 'recall', 'f1', 'roc_auc', 'brier', 'log_loss']);
  for (const [metric, value] of Object.entries(estimate))
    expect(Math.abs(value - (realised[metric as keyof typeof realised] as number)), metric).toBeLessThan(0.01);
});

test('three rows by hand', () => {
  const estimate = estimatePerformance(Float64Array.of(0.9, 0.6, 0.2), 0.5);
  expect(estimate.accuracy).toBeCloseTo((0.9 + 0.6 + 0.8) / 3, 12);
  expect(estimate.precision).toBeCloseTo(1.5 / 2, 12);
  expect(estimate.recall).toBeCloseTo(1.5 / 1.7, 12);
  expect(estimate.f1).toBeCloseTo((2 * 1.5) / (2 * 1.5 + 0.5 + 0.2), 12);
  expect(estimate.brier).toBeCloseTo((0.09 + 0.24 + 0.16) / 3, 12);
  const pairs = 0.1 * 0.45 + 0.4 * (0.9 + 0.3) + 0.8 * (1.5 + 0.1);
  expect(estimate.roc_auc).toBeCloseTo(pairs / (1.7 * 1.3), 12);
});

test('the threshold is compared as serving compares it', () => {
  expect(estimatePerformance(Float64Array.of(Math.fround(0.4), 0.1), 0.4).precision).toBeCloseTo(0.4, 6);
});

test('metrics that the rows do not define are left out', () => {
  expect(estimatePerformance(new Float64Array(0), 0.5)).toEqual({});
  expect(estimatePerformance(Float64Array.of(0, 0), 0.5)).toEqual({ accuracy: 1, brier: 0, log_loss: 0 });
  expect(Object.keys(estimatePerformance(Float64Array.of(0.2, 0.3), 0.5))).not.toContain('precision');
});

test('right probabilities are calibrated, exaggerated ones are not', () => {
  const right = outcomes((p) => p);
  const exaggerated = outcomes((p) => p / 2);
  expect(checkCalibration(right.target, right.probability).calibrated).toBe(true);
  expect(checkCalibration(exaggerated.target, exaggerated.probability)).toMatchObject({ calibrated: false });
  expect(checkCalibration(new Uint8Array(0), new Float64Array(0))).toEqual({
    calibrated: false,
    expected_calibration_error: 0,
  });
});
