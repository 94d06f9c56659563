import type { InputColumn } from '../../ml/features.ts';

/** Which inputs of a model stand where in its packed rows: names by the type of their tensor, in the signature's order. */
export interface RowLayout {
  /** Numbers and booleans. */
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
  readonly integers: readonly string[];
}
/** Packed rows, row by row: the value of `layout.numbers[i]` in row r is `numbers[r * layout.numbers.length + i]`. */
export interface RowBuffers {
  /** Missing is NaN; true is 1. */
  readonly numbers: Float32Array;
  /** Missing is "". */
  readonly texts: string[];
  /** Missing is −2^63. */
  readonly integers: BigInt64Array;
}

export const layoutOf = (inputs: readonly InputColumn[]): RowLayout => {
  const named = (...types: readonly InputColumn['type'][]) =>
    inputs.filter(({ type }) => types.includes(type)).map(({ name }) => name);
  return {
    numbers: named('numeric', 'boolean'),
    texts: named('categorical_string'),
    integers: named('categorical_integer'),
  };
};

/** Room for `capacity` rows. */
export const createRowBuffers = (layout: RowLayout, capacity: number): RowBuffers => ({
  numbers: new Float32Array(capacity * layout.numbers.length),
  texts: new Array<string>(capacity * layout.texts.length).fill(''),
  integers: new BigInt64Array(capacity * layout.integers.length),
});

/** Rows `from` to before `to`: views, and a copy of the texts. */
export const rowRange = (
  { numbers, texts, integers }: RowBuffers,
  layout: RowLayout,
  from: number,
  to: number,
): RowBuffers => ({
  numbers: numbers.subarray(from * layout.numbers.length, to * layout.numbers.length),
  texts: texts.slice(from * layout.texts.length, to * layout.texts.length),
  integers: integers.subarray(from * layout.integers.length, to * layout.integers.length),
});
