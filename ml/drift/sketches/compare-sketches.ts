import { compareColumn, type CompareOptions } from '../compare.ts';
import type { ColumnDrift } from '../drift-report.ts';
import { mergeSketches, preparedFrom, type ColumnSketch } from './column-sketch.ts';

/**
 * The same column of several windows, added up, beside the reference: what `compareColumn` says of all their rows, within
 * the sketches' errors.
 * @param current at least one; RangeError when empty
 */
export function compareSketches(
  reference: ColumnSketch,
  current: readonly ColumnSketch[],
  options: CompareOptions,
): ColumnDrift {
  if (current.length === 0) throw new RangeError(`column '${options.column}' has no sketch to compare`);
  return compareColumn(preparedFrom(reference), preparedFrom(current.reduce(mergeSketches)), options);
}
