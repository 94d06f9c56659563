import type { Matrix } from './matrix.ts';

/** The training rows as the Newton steps see them: standardised columns, then one indicator per column with missing values. */
export interface Design {
  readonly rows: number;
  readonly columns: readonly Float64Array[];
  /** Of the values present, per matrix column; float32, so that imputing a float32 column by it is exact. */
  readonly mean: readonly number[];
  /** Standard deviation after imputation; 1 for a constant column. */
  readonly scale: readonly number[];
  /** Matrix columns that have an indicator. */
  readonly indicators: readonly number[];
}

/** Throws a RangeError that names the column with an infinite value. */
export function designMatrix({ rows, columns, data }: Matrix): Design {
  const mean = data.map((values, column) => meanOf(values, columns[column]!));
  const scale = data.map((values, column) => scaleOf(values, mean[column]!));
  const standardised = data.map((values, column) => standardise(values, mean[column]!, scale[column]!));
  const indicators = [...data.keys()].filter((column) => data[column]!.some(Number.isNaN));
  const missing = indicators.map((column) =>
    Float64Array.from(data[column]!, (value) => (Number.isNaN(value) ? 1 : 0)),
  );
  return { rows, columns: [...standardised, ...missing], mean, scale, indicators };
}

function meanOf(values: Float32Array, column: string): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  if (!Number.isFinite(sum)) throw new RangeError(`column '${column}': infinite values have no mean`);
  return count === 0 ? 0 : Math.fround(sum / count);
}

function scaleOf(values: Float32Array, mean: number): number {
  const squares = values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : (value - mean) ** 2), 0);
  const deviation = Math.sqrt(squares / values.length);
  // The float32 mean of a constant column may miss it by a rounding, which must not be blown up to a deviation of 1.
  return deviation > Math.abs(mean) * 1e-6 ? deviation : 1;
}

const standardise = (values: Float32Array, mean: number, scale: number) =>
  Float64Array.from(values, (value) => (Number.isNaN(value) ? 0 : (value - mean) / scale));
