import type { DictionaryColumn, RawColumn, RawColumns } from './feature-matrix.ts';
import { isCategorical } from './feature-matrix.ts';
import type { InputColumn } from './features.ts';
import type { RawRow } from './signature.ts';

type Value = RawRow[string];

/** Rows as columns. Null and absent values are missing. */
export const rawColumns = (inputs: readonly InputColumn[], rows: readonly RawRow[]): RawColumns => ({
  rows: rows.length,
  columns: Object.fromEntries(inputs.map((input) => [input.name, rawColumn(input, rows)])),
});

function rawColumn(input: InputColumn, rows: readonly RawRow[]): RawColumn {
  const values = rows.map((row) => row[input.name] ?? null);
  return isCategorical(input)
    ? dictionaryOf(values)
    : Float32Array.from(values, (value) => (value === null ? NaN : Number(value)));
}

function dictionaryOf(values: readonly Value[]): DictionaryColumn {
  const codes = new Map<Value, number>();
  const coded = Int32Array.from(values, (value) => {
    if (value === null) return -1;
    if (!codes.has(value)) codes.set(value, codes.size);
    return codes.get(value)!;
  });
  return { codes: coded, categories: [...codes.keys()] as (string | number)[] };
}
