import { expect, test } from 'vitest';
import { chooseMethod, comparesCells, defaultThreshold, givesPValue } from '../../../ml/drift/choose-method.ts';
import { DRIFT_METHODS } from '../../../ml/drift/drift-report.ts';

test.each([
  ['numeric', 1000, 6, 'ks'],
  ['numeric', 1000, 5, 'chi_squared'],
  ['numeric', 1000, 3, 'chi_squared'],
  ['numeric', 1000, 2, 'z_test'],
  ['numeric', 1001, 6, 'wasserstein'],
  ['numeric', 1001, 5, 'jensen_shannon'],
  ['categorical', 1000, 300, 'chi_squared'],
  ['categorical', 1000, 2, 'z_test'],
  ['categorical', 1001, 2, 'jensen_shannon'],
] as const)('%s, %i reference values, %i different ones: %s', (type, referenceCount, distinct, method) => {
  expect(chooseMethod({ type, referenceCount, distinct })).toBe(method);
});

test('tests have 0.05 as threshold, distances 0.1', () => {
  expect(DRIFT_METHODS.filter(givesPValue)).toEqual(['ks', 'chi_squared', 'z_test']);
  for (const method of DRIFT_METHODS) expect(defaultThreshold(method)).toBe(givesPValue(method) ? 0.05 : 0.1);
  expect(DRIFT_METHODS.filter((method) => !comparesCells(method))).toEqual(['ks', 'wasserstein']);
});
