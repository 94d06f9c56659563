import { expect, test } from 'vitest';
import { checkGates, checkRegression } from '../../ml/gates.ts';

test('a gate holds at its limit and names metric, value and rule when it does not', () => {
  const gates = [
    { metric: 'roc_auc', at_least: 0.8 },
    { metric: 'brier', at_most: 0.1 },
    { metric: 'recall', at_least: 0.5 },
  ] as const;
  expect(checkGates(gates, { roc_auc: 0.8, brier: 0.2, recall: 0.4999999 })).toEqual([
    {
      metric: 'roc_auc',
      bound: 'at_least',
      limit: 0.8,
      value: 0.8,
      passed: true,
      message: 'roc_auc is 0.8, must be at least 0.8',
    },
    {
      metric: 'brier',
      bound: 'at_most',
      limit: 0.1,
      value: 0.2,
      passed: false,
      message: 'brier is 0.2, must be at most 0.1',
    },
    expect.objectContaining({ metric: 'recall', passed: false }),
  ]);
});

test.each([[null], [undefined]])('a metric that is %s passes no gate, whichever way it points', (value) => {
  const results = checkGates(
    [
      { metric: 'precision', at_least: 0 },
      { metric: 'precision', at_most: 1 },
    ],
    { precision: value },
  );
  expect(results.map(({ passed }) => passed)).toEqual([false, false]);
  expect(results[0]!.message).toBe('precision is undefined on these rows, must be at least 0');
});

const regression = (estimate: number, higherIsBetter: boolean) =>
  checkRegression({
    metric: higherIsBetter ? 'roc_auc' : 'log_loss',
    higherIsBetter,
    difference: { estimate, low: estimate - 0.01, high: estimate + 0.01 },
    maxRegression: 0.005,
  });

test.each([
  [0.02, true, true],
  [-0.005, true, true],
  [-0.006, true, false],
  [-0.02, false, true],
  [0.005, false, true],
  [0.006, false, false],
])('a difference of %d, higher is better: %s → passed: %s', (estimate, higherIsBetter, passed) => {
  expect(regression(estimate, higherIsBetter)).toMatchObject({ passed, max_regression: 0.005 });
});

test('a regression says how much worse, with the interval', () => {
  expect(regression(-0.25, true)).toMatchObject({ worse_by: 0.25, passed: false });
  expect(regression(-0.25, true).message).toBe(
    'roc_auc of challenger minus production is -0.25 (95 % interval -0.26 to -0.24), may be worse by at most 0.005',
  );
});

test('an undefined difference does not pass', () => {
  const check = checkRegression({ metric: 'roc_auc', higherIsBetter: true, difference: null, maxRegression: 1 });
  expect(check).toMatchObject({ passed: false, worse_by: null });
});
