import type { ColumnValues } from '../column-values.ts';
import { prepareColumn, type PreparedColumn } from '../prepared-column.ts';
import { categoriesOf, mergeCategories, sketchCategories, type CategorySketch } from './category-sketch.ts';
import { mergeNumbers, numbersOf, sketchNumbers, type NumericSketch } from './numeric-sketch.ts';

/** A column of one window, small enough to keep, that adds up with those of other windows. Plain JSON. */
export type ColumnSketch = NumericSketch | CategorySketch;

export function sketchColumn(column: ColumnValues | PreparedColumn): ColumnSketch {
  const prepared = 'count' in column ? column : prepareColumn(column);
  return prepared.type === 'numeric' ? sketchNumbers(prepared) : sketchCategories(prepared);
}

/** The sketch of both columns' rows together. Throws a RangeError when their types differ. */
export function mergeSketches(a: ColumnSketch, b: ColumnSketch): ColumnSketch {
  if (a.type === 'numeric' && b.type === 'numeric') return mergeNumbers(a, b);
  if (a.type === 'categorical' && b.type === 'categorical') return mergeCategories(a, b);
  throw new RangeError(`a ${a.type} sketch cannot be merged with a ${b.type} one`);
}

/** What `compareColumn` takes, in place of the column itself. */
export const preparedFrom = (sketch: ColumnSketch): PreparedColumn =>
  sketch.type === 'numeric' ? numbersOf(sketch) : categoriesOf(sketch);
