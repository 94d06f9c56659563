/** The values of one column, row by row. */
export type ColumnValues = NumericValues | CategoricalValues;
export interface NumericValues {
  readonly type: 'numeric';
  /** NaN where missing. */
  readonly values: Float64Array;
}
export interface CategoricalValues {
  readonly type: 'categorical';
  /** Positions in `categories`; −1 where missing. Two columns that are compared share one list of categories. */
  readonly codes: Int32Array;
  readonly categories: readonly string[];
}
