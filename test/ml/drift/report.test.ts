import { expect, test } from 'vitest';
import { correctPValues } from '../../../ml/drift/correction.ts';
import type { ColumnDrift } from '../../../ml/drift/drift-report.ts';
import { driftReport } from '../../../ml/drift/report.ts';
import { driftSettings } from './settings.ts';

const rows = { reference: 1000, current: 500 };

const column = (name: string, changes: Partial<ColumnDrift> = {}): ColumnDrift => ({
  column: name,
  role: 'feature',
  type: 'numeric',
  method: 'ks',
  score: 0.5,
  threshold: 0.05,
  drifted: false,
  missing: { reference: 0, current: 0 },
  new_categories: { values: [], share: 0 },
  out_of_range: 0,
  mean: { reference: 0, current: 0 },
  distribution: { edges: [0, 1], reference: [1], current: [1] },
  ...changes,
});
const drifted = (name: string, score = 0.01) => column(name, { score, drifted: true });

test('the dataset has drifted when at least the share of its features has', () => {
  const half = [drifted('a'), column('b'), drifted('c'), column('d')];
  expect(driftReport(half, driftSettings(), rows)).toMatchObject({
    drifted: true,
    features: { compared: 4, drifted: 2, share: 0.5 },
  });
  expect(driftReport(half, driftSettings({ drift_share: 0.51 }), rows).drifted).toBe(false);
});

test('prediction and target come last and do not count as features', () => {
  const columns = [
    column('target', { role: 'target', drifted: true, method: 'psi', score: 1 }),
    column('prediction', { role: 'prediction', drifted: true, method: 'psi', score: 1 }),
    column('a'),
  ];
  const report = driftReport(columns, driftSettings(), rows);
  expect(report.columns.map(({ column: name }) => name)).toEqual(['a', 'prediction', 'target']);
  expect(report).toMatchObject({ drifted: false, features: { compared: 1, drifted: 0 } });
});

test('ignored columns are left out; without features nothing has drifted', () => {
  const report = driftReport([drifted('a'), column('b')], driftSettings({ ignore: ['a'] }), rows);
  expect(report.columns.map(({ column: name }) => name)).toEqual(['b']);
  expect(driftReport([], driftSettings(), rows)).toMatchObject({ drifted: false, features: { share: 0 } });
});

test('a window with too few rows is not judged', () => {
  const report = driftReport([column('a', { score: null })], driftSettings({ min_rows: 501 }), rows);
  expect(report).toMatchObject({ judged: false, drifted: false });
});

test('corrected p-values replace the scores and decide; distances stay', () => {
  const columns = [
    drifted('a', 0.02),
    drifted('b', 0.03),
    column('c', { score: 0.9 }),
    column('d', { method: 'psi', score: 0.3, threshold: 0.1, drifted: true }),
    column('e', { score: null, drifted: true }),
  ];
  const bonferroni = driftReport(columns, driftSettings({ correction: 'bonferroni' }), rows);
  expect(bonferroni.columns.map(({ score }) => score)).toEqual([0.06, 0.09, 1, 0.3, null]);
  expect(bonferroni.columns.map((found) => found.drifted)).toEqual([false, false, false, true, true]);
  const hochberg = driftReport(columns, driftSettings({ correction: 'benjamini_hochberg' }), rows);
  expect(hochberg.columns.map((found) => found.drifted)).toEqual([true, true, false, true, true]);
});

test('corrections are those of statsmodels', () => {
  const pValues = [0.01, 0.04, 0.03, 0.005, 0.2];
  expect(correctPValues(pValues, 'none')).toEqual(pValues);
  expect(correctPValues(pValues, 'bonferroni')).toEqual([0.05, 0.2, 0.15, 0.025, 1]);
  [0.025, 0.05, 0.05, 0.025, 0.2].forEach((expected, index) =>
    expect(correctPValues(pValues, 'benjamini_hochberg')[index]).toBeCloseTo(expected, 12),
  );
  expect(correctPValues([], 'benjamini_hochberg')).toEqual([]);
});
