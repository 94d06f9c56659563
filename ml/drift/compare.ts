import { binnedCells, categoryCells, countDistinctOfBoth, distinctCells } from './cells.ts';
import { chooseMethod, comparesCells, defaultThreshold, hasDrifted, type ColumnShape } from './choose-method.ts';
import type { ColumnValues } from './column-values.ts';
import { distributionOf } from './distribution.ts';
import type { ColumnDrift, DriftMethod, DriftSettings } from './drift-report.ts';
import { missingShare } from './missing-share.ts';
import { newCategories } from './new-categories.ts';
import {
  prepareColumn,
  type PreparedCategories,
  type PreparedColumn,
  type PreparedNumbers,
} from './prepared-column.ts';
import { rangeViolations } from './range-violations.ts';
import { scoreCells, scoreNumbers } from './score.ts';

const FEW_NUMBERS = 20;

/** Rows of both samples, missing values included. */
export interface ComparedRows {
  readonly reference: number;
  readonly current: number;
}

export interface CompareOptions {
  readonly column: string;
  readonly role: ColumnDrift['role'];
  readonly settings: DriftSettings;
  readonly rows: ComparedRows;
}

/**
 * One column of a window beside the same column of the reference, which may be prepared once for many windows. With fewer
 * rows than `min_rows` it is described, not judged. When one sample has no value and the other has, there is no score, yet
 * the column has drifted. p-values are as tested: `driftReport` corrects them.
 * @throws RangeError naming the column when the types differ or the method is not for the type
 */
export function compareColumn(
  reference: ColumnValues | PreparedColumn,
  current: ColumnValues | PreparedColumn,
  options: CompareOptions,
): ColumnDrift {
  const [a, b] = [prepared(reference), prepared(current)];
  if (a.type === 'numeric' && b.type === 'numeric') return compareNumbers(a, b, options);
  if (a.type === 'categorical' && b.type === 'categorical') return compareCategories(a, b, options);
  throw new RangeError(`column '${options.column}' is ${a.type} in the reference, but ${b.type} in the window`);
}

const prepared = (column: ColumnValues | PreparedColumn): PreparedColumn =>
  'count' in column ? column : prepareColumn(column);

function compareNumbers(reference: PreparedNumbers, current: PreparedNumbers, options: CompareOptions): ColumnDrift {
  const distinct = countDistinctOfBoth(reference.sorted, current.sorted, FEW_NUMBERS);
  const method = methodFor(options, { type: 'numeric', referenceCount: reference.count, distinct });
  const cells = distinct > FEW_NUMBERS ? binnedCells(reference, current) : distinctCells(reference, current);
  return {
    column: options.column,
    role: options.role,
    type: 'numeric',
    ...verdict(reference, current, method, options, () => scoreNumbers(method, reference, current)),
    missing: { reference: missingShare(reference), current: missingShare(current) },
    new_categories: { values: [], share: 0 },
    out_of_range: rangeViolations(reference, current),
    mean: { reference: meanOf(reference), current: meanOf(current) },
    distribution: distributionOf(cells),
  };
}

const meanOf = ({ count, mean }: PreparedNumbers) => (count === 0 ? null : mean);

function compareCategories(
  reference: PreparedCategories,
  current: PreparedCategories,
  options: CompareOptions,
): ColumnDrift {
  const cells = categoryCells(reference, current);
  const distinct = cells.reference.length;
  const method = methodFor(options, { type: 'categorical', referenceCount: reference.count, distinct });
  if (!comparesCells(method))
    throw new RangeError(`column '${options.column}': ${method} compares numbers, but the column is categorical`);
  return {
    column: options.column,
    role: options.role,
    type: 'categorical',
    ...verdict(reference, current, method, options, () => scoreCells(method, cells)),
    missing: { reference: missingShare(reference), current: missingShare(current) },
    new_categories: newCategories(cells, current.rows),
    out_of_range: 0,
    mean: { reference: null, current: null },
    distribution: distributionOf(cells),
  };
}

const methodFor = ({ column, settings }: CompareOptions, shape: ColumnShape) =>
  settings.columns[column]?.method ?? chooseMethod(shape);

function verdict(
  reference: PreparedColumn,
  current: PreparedColumn,
  method: DriftMethod,
  { column, settings, rows }: CompareOptions,
  scoreOf: () => number,
): Pick<ColumnDrift, 'method' | 'score' | 'threshold' | 'drifted'> {
  const threshold = settings.columns[column]?.threshold ?? defaultThreshold(method);
  const judged = Math.min(rows.current, current.rows) >= settings.min_rows;
  if (!judged) return { method, threshold, score: null, drifted: false };
  if (reference.count === 0 || current.count === 0) {
    const cameOrWent = reference.rows > 0 && current.rows > 0 && reference.count + current.count > 0;
    return { method, threshold, score: null, drifted: cameOrWent };
  }
  const score = scoreOf();
  return { method, threshold, score, drifted: hasDrifted(method, score, threshold) };
}
