import { expect, test } from 'vitest';
import { calibrationCurve } from '../../ml/metrics/calibration.ts';
import { evaluateBinary } from '../../ml/metrics/evaluation.ts';
import { descendingOrder } from '../../ml/metrics/ranking.ts';
import { createRandom } from '../../ml/random.ts';

// Reference numbers: scikit-learn 1.9.1 on the same rows, thresholds at 0.5.
const target = Uint8Array.of(0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1);
const probability = Float64Array.of(
  ...[0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2, 0.4, 0.7, 0.65, 0.05, 0.55, 0.55, 0.3, 1, 0.15],
);

/** 10,000 rows from Lehmer's generator, every second probability cut to three digits so that ties are many. */
function manyRows() {
  let state = 12345;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const rows = Array.from({ length: 10_000 }, (_, row) => {
    const [u, v] = [next(), next()];
    return { p: row % 2 ? Math.floor(u * 1000) / 1000 : u, y: v < u * u ? 1 : 0 };
  });
  return { target: Uint8Array.from(rows, (row) => row.y), probability: Float64Array.from(rows, (row) => row.p) };
}

test('metrics of a few rows with ties equal scikit-learn', () => {
  const evaluation = evaluateBinary(target, probability, 0.5);
  expect(evaluation).toMatchObject({
    rows: 16,
    positives: 8,
    threshold: 0.5,
    confusion: { tn: 6, fp: 2, fn: 3, tp: 5 },
  });
  expect(evaluation.roc_auc).toBeCloseTo(0.7734375, 12);
  expect(evaluation.pr_auc).toBeCloseTo(0.8152597402597402, 12);
  expect(evaluation.log_loss).toBeCloseTo(0.5470438891544909, 12);
  expect(evaluation.brier).toBeCloseTo(0.1896875, 12);
  expect(evaluation.accuracy).toBeCloseTo(0.6875, 12);
  expect(evaluation.precision).toBeCloseTo(0.7142857142857143, 12);
  expect(evaluation.recall).toBeCloseTo(0.625, 12);
  expect(evaluation.f1).toBeCloseTo(0.6666666666666666, 12);
});

test('metrics of 10,000 rows, sorted by radix, equal scikit-learn in float64 and in float32', () => {
  const rows = manyRows();
  const wide = evaluateBinary(rows.target, rows.probability, 0.5);
  expect(wide.positives).toBe(3392);
  expect(wide.roc_auc).toBeCloseTo(0.8682559010447599, 12);
  expect(wide.pr_auc).toBeCloseTo(0.776678904945932, 12);
  expect(wide.log_loss).toBeCloseTo(0.5075699427415805, 12);
  expect(wide.brier).toBeCloseTo(0.16947297085723548, 12);
  expect(wide.f1).toBeCloseTo(0.6969481902058198, 12);
  const narrow = evaluateBinary(rows.target, Float32Array.from(rows.probability), 0.5);
  expect(narrow.roc_auc).toBeCloseTo(0.868255856430456, 12);
  expect(narrow.pr_auc).toBeCloseTo(0.7766787143428648, 12);
  expect(narrow.log_loss).toBeCloseTo(0.5075699, 6);
});

test('curve points equal scikit-learn', () => {
  const { roc, pr } = evaluateBinary(target, probability, 0.5);
  expect(roc.map((point) => point.fpr)).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 4, 5, 6, 6, 7, 8].map((n) => n / 8));
  expect(roc.map((point) => point.tpr)).toEqual([0, 1, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 8, 8].map((n) => n / 8));
  expect(roc.slice(0, 3).map((point) => point.threshold)).toEqual([null, 1, 0.9]);
  expect(pr.map((point) => point.recall)).toEqual([1, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 8, 8].map((n) => n / 8));
  expect(pr.at(-1)).toEqual({ recall: 1, precision: 0.5, threshold: 0.05 });
});

test('curves of many rows are thinned to 200 points, keep both ends and rise', () => {
  const rows = manyRows();
  const { roc, pr } = evaluateBinary(rows.target, rows.probability, 0.5);
  for (const curve of [roc, pr]) {
    expect(curve.length).toBeGreaterThan(100);
    expect(curve.length).toBeLessThanOrEqual(200);
  }
  expect(roc[0]).toMatchObject({ fpr: 0, tpr: 0 });
  expect(roc.at(-1)).toMatchObject({ fpr: 1, tpr: 1 });
  expect(roc.every((point, i) => i === 0 || (point.fpr >= roc[i - 1]!.fpr && point.tpr >= roc[i - 1]!.tpr))).toBe(true);
});

test('the calibration curve equals scikit-learn with quantile bins', () => {
  const few = calibrationCurve(target, probability, { bins: 4 });
  expect(few.map((bin) => bin.count)).toEqual([4, 5, 3, 4]);
  const rows = manyRows();
  const { calibration, calibration_error } = evaluateBinary(rows.target, rows.probability, 0.5);
  const observed = [0.00799201, 0.02994012, 0.07321966, 0.1445663, 0.20461384, 0.30149254, 0.44232698, 0.55855856];
  const predicted = [0.05007349, 0.15355102, 0.25804066, 0.35843742, 0.45609168, 0.55435966, 0.65085771, 0.75008837];
  for (const [bin, share] of [...observed, 0.729, 0.9019019].entries())
    expect(calibration[bin]!.observed_share).toBeCloseTo(share, 8);
  for (const [bin, mean] of [...predicted, 0.84998033, 0.94895861].entries())
    expect(calibration[bin]!.mean_predicted).toBeCloseTo(mean, 8);
  expect(calibration.reduce((sum, bin) => sum + bin.count, 0)).toBe(10_000);
  expect(calibration_error).toBeGreaterThan(0.1);
});

test('a perfect ranking scores 1, an inverted one 0, a constant one 0.5', () => {
  const y = Uint8Array.of(0, 0, 1, 1);
  const aucOf = (...p: number[]) => evaluateBinary(y, Float64Array.from(p), 0.5).roc_auc;
  expect(aucOf(0.1, 0.2, 0.8, 0.9)).toBe(1);
  expect(aucOf(0.9, 0.8, 0.2, 0.1)).toBe(0);
  expect(aucOf(0.3, 0.3, 0.3, 0.3)).toBe(0.5);
});

test('certain and wrong predictions cost a finite log loss, clipped by the precision of the array', () => {
  const y = Uint8Array.of(1, 0);
  expect(evaluateBinary(y, Float64Array.of(0, 0.5), 0.5).log_loss).toBeCloseTo(18.36840028483855, 10);
  expect(evaluateBinary(y, Float32Array.of(0, 0.5), 0.5).log_loss).toBeCloseTo(8.317766189575195, 5);
});

test.each([
  ['only negatives', Uint8Array.of(0, 0, 0), { roc_auc: null, pr_auc: null, recall: null, precision: 0 }],
  ['only positives', Uint8Array.of(1, 1, 1), { roc_auc: null, pr_auc: null, precision: 1 }],
  ['no rows', new Uint8Array(0), { roc_auc: null, log_loss: null, accuracy: null, f1: null }],
])('with %s undefined metrics are null and the JSON round trip loses nothing', (_, y, expected) => {
  const evaluation = evaluateBinary(
    y,
    Float64Array.from(y, (_, i) => 0.2 + i / 3),
    0.6,
  );
  expect(evaluation).toMatchObject({ ...expected, roc: [], pr: [] });
  expect(JSON.parse(JSON.stringify(evaluation))).toEqual(evaluation);
});

test('nothing called positive leaves precision undefined and F1 at 0', () => {
  expect(evaluateBinary(Uint8Array.of(0, 1), Float64Array.of(0.1, 0.2), 0.9)).toMatchObject({
    precision: null,
    recall: 0,
    f1: 0,
  });
});

test('a probability equal to the threshold in float32 is positive, as in the served model', () => {
  const justBelow = Float64Array.of(Math.fround(0.05) - 1e-12);
  expect(evaluateBinary(Uint8Array.of(1), justBelow, 0.05).confusion.tp).toBe(1);
});

test.each([
  ['2 target values but 1 probabilities', Uint8Array.of(0, 1), Float64Array.of(0.5)],
  ['row 1: NaN is not a probability', Uint8Array.of(0, 1), Float64Array.of(0.5, NaN)],
  ['row 0: 1.5 is not a probability', Uint8Array.of(0, 1), Float64Array.of(1.5, 0.5)],
  ['row 1: target 2 is neither 0 nor 1', Uint8Array.of(0, 2), Float64Array.of(0.5, 0.5)],
])('refuses bad input: %s', (message, y, p) => {
  expect(() => evaluateBinary(y, p, 0.5)).toThrow(new RangeError(message));
});

test('the radix order equals the comparator order for any sign, with ties in row order', () => {
  const random = createRandom(5);
  const values = Array.from({ length: 9000 }, () => Math.round((random() - 0.5) * 2000) / (random() < 0.5 ? 7 : 1e9));
  for (const scores of [Float64Array.from([-0, 0, ...values]), Float32Array.from([-0, 0, ...values])]) {
    const expected = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
    expect([...descendingOrder(scores)]).toEqual(expected);
  }
});
