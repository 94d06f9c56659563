import type { CategoricalValues, NumericValues } from '../../../ml/drift/column-values.ts';
import { normal, type Random } from '../../../ml/random.ts';

/** `rows` draws. */
export const numbers = (rows: number, draw: () => number): NumericValues => ({
  type: 'numeric',
  values: Float64Array.from({ length: rows }, draw),
});

export const normals = (random: Random, rows: number, shift = 0): NumericValues =>
  numbers(rows, () => normal(random) + shift);

export const categories = (names: readonly string[], values: readonly (string | null)[]): CategoricalValues => ({
  type: 'categorical',
  categories: names,
  codes: Int32Array.from(values, (value) => (value === null ? -1 : names.indexOf(value))),
});
