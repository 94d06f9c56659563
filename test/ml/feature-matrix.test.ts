import { expect, test } from 'vitest';
import { encodeColumns, parseDerived, type RawColumns } from '../../ml/feature-matrix.ts';
import { matrixColumns, type FittedFeatures } from '../../ml/features.ts';

const features: FittedFeatures = {
  inputs: [
    { name: 'charges', type: 'numeric', nullable: false },
    { name: 'plan', type: 'categorical_string', nullable: true },
    { name: 'active', type: 'boolean', nullable: true },
  ],
  encodings: [{ column: 'plan', categories: ['basic', 'pro'], codes: [0.5, -1.25] }],
  derived: [{ name: 'per_active', expression: 'charges / active' }],
};
const raw = (codes: number[], categories: string[]): RawColumns => ({
  rows: 4,
  columns: {
    charges: Float32Array.of(1, 2, 3, 4),
    plan: { codes: Int32Array.from(codes), categories },
    active: Float32Array.of(1, 0, NaN, 1),
  },
});

test('columns come in the order of the contract: inputs, then derived', () => {
  const data = encodeColumns(features, raw([0, 0, 1, -1], ['basic', 'pro']));
  expect(matrixColumns(features)).toEqual(['charges', 'plan', 'active', 'per_active']);
  expect(data.map((column) => [...column])).toEqual([
    [1, 2, 3, 4],
    [0.5, 0.5, -1.25, NaN],
    [1, 0, NaN, 1],
    [1, NaN, NaN, 4],
  ]);
});

test('encodes by category, not by dictionary position, and unknown categories are missing', () => {
  const [, codes] = encodeColumns(features, raw([0, 1, 2, -1], ['gold', 'pro', 'basic']));
  expect([...codes!]).toEqual([NaN, -1.25, 0.5, NaN]);
});

test('a text that looks like a number is not that number', () => {
  const encodings = [{ column: 'plan', categories: [7], codes: [1] }];
  const [, codes] = encodeColumns({ ...features, encodings }, raw([0, 0, 0, 0], ['7']));
  expect([...codes!]).toEqual([NaN, NaN, NaN, NaN]);
});

test('names the column that is absent, of the wrong kind or of the wrong length', () => {
  const good = raw([0, 0, 0, 0], ['basic']);
  const using = (columns: Partial<RawColumns['columns']>) => () =>
    encodeColumns(features, { rows: 4, columns: { ...good.columns, ...columns } as RawColumns['columns'] });
  expect(using({ plan: undefined })).toThrow("column 'plan' is absent");
  expect(using({ plan: Float32Array.of(1, 2, 3, 4) })).toThrow("column 'plan' must be categories, not numbers");
  expect(using({ charges: good.columns['plan'] })).toThrow("column 'charges' must be numbers, not categories");
  expect(using({ charges: Float32Array.of(1) })).toThrow("column 'charges': 1 values but 4 rows");
});

test('a derived feature reads numeric and boolean inputs only, and its name is in the message', () => {
  const withDerived = (expression: string) => () =>
    parseDerived({ ...features, derived: [{ name: 'ratio', expression }] });
  expect(withDerived('charges / plan')).toThrow("derived feature 'ratio': 'plan' is no numeric or boolean feature");
  expect(withDerived('1 + 1')).toThrow("derived feature 'ratio': reads no feature, so it is a constant");
  expect(withDerived('charges /')).toThrow("derived feature 'ratio': position 10: expected");
});
