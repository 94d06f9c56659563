/** Rows as float32 columns. A missing value is NaN. `target` is 1 for the positive class, else 0. */
export interface Matrix {
  readonly columns: readonly string[];
  readonly rows: number;
  /** One array of length `rows` per column, in the order of `columns`. */
  readonly data: readonly Float32Array[];
  readonly target: Uint8Array;
}
