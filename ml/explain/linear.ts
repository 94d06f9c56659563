import type { LinearModel } from '../model.ts';
import type { Contributions } from './contributions.ts';

/**
 * A column contributes its term of the log-odds, and its indicator's where it is missing. The base is the answer for a
 * row with every column at its mean.
 */
export function linearContributions(model: LinearModel): Contributions {
  const { impute, mean, scale, coefficients, missing, intercept } = model;
  return {
    base: intercept,
    add: (row, out) => {
      for (const [column, coefficient] of coefficients.entries()) {
        const value = row[column]!;
        const known = Number.isNaN(value) ? impute[column]! : value;
        out[column]! += (known - mean[column]!) * (coefficient / scale[column]!);
      }
      for (const { column, coefficient } of missing) if (Number.isNaN(row[column])) out[column]! += coefficient;
    },
  };
}
