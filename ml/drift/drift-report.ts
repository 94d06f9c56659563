/** Statistics two samples can be compared with. `ks`, `chi_squared` and `z_test` give p-values, the others distances. */
export const DRIFT_METHODS = [
  'ks',
  'chi_squared',
  'z_test',
  'wasserstein',
  'jensen_shannon',
  'psi',
  'hellinger',
  'total_variation',
  'kullback_leibler',
] as const;
export type DriftMethod = (typeof DRIFT_METHODS)[number];
export type Correction = 'none' | 'bonferroni' | 'benjamini_hochberg';

/** How a comparison is judged; what a pipeline's `drift` says, in the words of a definition. */
export interface DriftSettings {
  /** Columns that are left out. */
  readonly ignore: readonly string[];
  /** What replaces the choice by type and size, by column. */
  readonly columns: Readonly<
    Record<string, { readonly method?: DriftMethod | undefined; readonly threshold?: number | undefined }>
  >;
  /** The dataset has drifted when at least this share of its features has. */
  readonly drift_share: number;
  /** Of the p-values, for many tests at once find something by chance. */
  readonly correction: Correction;
  /** A window with fewer rows is described, not judged. */
  readonly min_rows: number;
}

/** Counts of both samples over the same bins or categories, for a chart and for the distances over bins. */
export type Distribution =
  | { readonly edges: readonly number[]; readonly reference: readonly number[]; readonly current: readonly number[] }
  | {
      readonly categories: readonly string[];
      readonly reference: readonly number[];
      readonly current: readonly number[];
    };

/** Plain JSON: no NaN, no Infinity. Shares are of all rows, missing ones included. */
export interface ColumnDrift {
  readonly column: string;
  readonly role: 'feature' | 'prediction' | 'target';
  readonly type: 'numeric' | 'categorical';
  readonly method: DriftMethod;
  /** A p-value (after correction) or a distance; null when one sample has no value at all, or the window is too small. */
  readonly score: number | null;
  readonly threshold: number;
  /** p-value < threshold, or distance >= threshold. */
  readonly drifted: boolean;
  /** Share of rows without a value. */
  readonly missing: { readonly reference: number; readonly current: number };
  /** Categories that the reference does not have: at most ten of them, and the share of rows with any. */
  readonly new_categories: { readonly values: readonly string[]; readonly share: number };
  /** Share of rows below the least or above the greatest value of the reference; 0 for a category. */
  readonly out_of_range: number;
  /** null for a category or without values. */
  readonly mean: { readonly reference: number | null; readonly current: number | null };
  readonly distribution: Distribution;
}

/** A window of rows beside the reference. Also the JSON that is stored and answered, hence snake_case. */
export interface DriftReport {
  readonly rows: { readonly reference: number; readonly current: number };
  /** Enough rows to judge by? If not, nothing has drifted. */
  readonly judged: boolean;
  /** At least `drift_share` of the features have drifted. */
  readonly drifted: boolean;
  readonly features: { readonly compared: number; readonly drifted: number; readonly share: number };
  readonly drift_share: number;
  readonly correction: Correction;
  /** Features first, then the prediction. What labels say of the target comes later, beside the report. */
  readonly columns: readonly ColumnDrift[];
}
