import { expect, test } from 'vitest';
import {
  encodeColumns,
  fitFeatures,
  parseDerived,
  type FeaturePlan,
  type RawColumns,
} from '../../ml/feature-matrix.ts';
import { matrixColumns } from '../../ml/features.ts';

const plan: FeaturePlan = {
  inputs: [
    { name: 'charges', type: 'numeric', nullable: false },
    { name: 'plan', type: 'categorical_string', nullable: true },
    { name: 'active', type: 'boolean', nullable: true },
  ],
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
const target = Uint8Array.of(1, 0, 1, 0);
const fit = () => fitFeatures(plan, raw([0, 0, 1, -1], ['basic', 'pro']), target, Uint8Array.of(0, 1, 0, 1));

test('columns come in the order of the contract: inputs, then derived', () => {
  const { features, data } = fit();
  expect(matrixColumns(features)).toEqual(['charges', 'plan', 'active', 'per_active']);
  expect([...data[0]!]).toEqual([1, 2, 3, 4]);
  expect([...data[2]!]).toEqual([1, 0, NaN, 1]);
  expect([...data[3]!]).toEqual([1, NaN, NaN, 4]);
});

test('training rows get out-of-fold codes, other rows the codes of the whole training split', () => {
  const { features, data } = fit();
  const [, full] = encodeColumns(features, raw([0, 0, 1, -1], ['basic', 'pro']));
  expect(data[1]![0]).not.toBe(full![0]);
  expect(full![0]).toBe(features.encodings[0]!.codes[0]);
  expect(full![3]).toBeNaN();
});

test('encodes by category, not by dictionary position, and unknown categories are missing', () => {
  const { features } = fit();
  const [, codes] = encodeColumns(features, raw([0, 1, 2, -1], ['gold', 'pro', 'basic']));
  expect([...codes!]).toEqual([NaN, features.encodings[0]!.codes[1], features.encodings[0]!.codes[0], NaN]);
});

test('what is fitted survives JSON', () => {
  const { features } = fit();
  const again = JSON.parse(JSON.stringify(features)) as typeof features;
  const rows = raw([1, 0, 1, -1], ['basic', 'pro']);
  expect(encodeColumns(again, rows)).toEqual(encodeColumns(features, rows));
});

test('names the column that is absent, of the wrong kind or of the wrong length', () => {
  const { features } = fit();
  const good = raw([0, 0, 0, 0], ['basic']);
  const using = (columns: Partial<RawColumns['columns']>) => () =>
    encodeColumns(features, { rows: 4, columns: { ...good.columns, ...columns } as RawColumns['columns'] });
  expect(using({ plan: undefined })).toThrow("column 'plan' is absent");
  expect(using({ plan: Float32Array.of(1, 2, 3, 4) })).toThrow("column 'plan' must be categories, not numbers");
  expect(using({ charges: good.columns['plan'] })).toThrow("column 'charges' must be numbers, not categories");
  expect(using({ charges: Float32Array.of(1) })).toThrow("column 'charges': 1 values but 4 rows");
});

test('a derived feature reads numeric and boolean inputs only, and its name is in the message', () => {
  const withDerived = (expression: string) => () => parseDerived({ ...plan, derived: [{ name: 'ratio', expression }] });
  expect(withDerived('charges / plan')).toThrow("derived feature 'ratio': 'plan' is no numeric or boolean feature");
  expect(withDerived('charges /')).toThrow("derived feature 'ratio': position 10: expected");
});
