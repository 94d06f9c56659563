/** What a model's log-odds are made of: `base` and a contribution of every column, which together are the log-odds. */
export interface Contributions {
  readonly base: number;
  /** Adds the contributions of the columns of one matrix row to `out`. */
  readonly add: (row: Float32Array, out: Float64Array) => void;
}
