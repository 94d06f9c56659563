import type { CategoricalValues, ColumnValues } from './column-values.ts';
import { sortNumbers } from './sort-numbers.ts';

/** What the comparisons need of a column: made once, a reference serves many windows. */
export type PreparedColumn = PreparedNumbers | PreparedCategories;

export interface PreparedNumbers {
  readonly type: 'numeric';
  /** Missing ones included. */
  readonly rows: number;
  /** Values that are there. */
  readonly count: number;
  /** The values, ascending; evenly spaced quantiles of them where they come from a sketch. */
  readonly sorted: Float64Array;
  /** 0 without values. */
  readonly mean: number;
  /** Over all values (not n − 1). */
  readonly deviation: number;
}

export interface PreparedCategories {
  readonly type: 'categorical';
  readonly rows: number;
  readonly count: number;
  readonly categories: readonly string[];
  /** Rows of each category. */
  readonly counts: Float64Array;
}

// Squares of a greater number, or sums of such squares, would be infinite; models compute in float32, which ends at 3.4e38.
const GREATEST = 1e150;

/** Sorts or counts a column. An infinite number counts as missing, as in Evidently, and so does one beyond ±1e150. */
export function prepareColumn(column: ColumnValues): PreparedColumn {
  return column.type === 'numeric' ? prepareNumbers(column.values.slice()) : prepareCategories(column);
}

/** As `prepareColumn`, in place: `sorted` is the beginning of the array that was given. */
export function prepareNumbers(values: Float64Array): PreparedNumbers {
  let count = 0;
  for (let row = 0; row < values.length; row++) if (Math.abs(values[row]!) <= GREATEST) values[count++] = values[row]!;
  const sorted = sortNumbers(values.subarray(0, count));
  return { type: 'numeric', rows: values.length, count, sorted, ...moments(sorted) };
}

function moments(values: Float64Array): { mean: number; deviation: number } {
  const count = Math.max(values.length, 1);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}

function prepareCategories({ codes, categories }: CategoricalValues): PreparedCategories {
  const counts = new Float64Array(categories.length);
  let count = 0;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code < 0) continue;
    counts[code]!++;
    count++;
  }
  return { type: 'categorical', rows: codes.length, count, categories, counts };
}
