/** SHA-256 of an object in the artifact store; histories carry these, never data. */
export type Sha256 = string;

/** What `make_dataset` leaves behind. */
export interface MadeDataset {
  readonly dataset_version: string;
  /** Hash of the source bytes. */
  readonly dataset_sha256: Sha256;
  /** Typed Parquet, checked against the contract. */
  readonly parquet: Sha256;
  readonly rows: number;
}

/** What `preprocessing` leaves behind. The three matrices share their columns. */
export interface PreparedData {
  readonly train: Sha256;
  readonly validation: Sha256;
  readonly test: Sha256;
  /** Raw rows of the test split as Parquet, in the order of `test`. */
  readonly test_rows: Sha256;
  /** FittedFeatures as JSON. */
  readonly features: Sha256;
  /** Profile of the train split as JSON. */
  readonly profile: Sha256;
  /** RawRow[] as JSON: a few test rows. */
  readonly sample_rows: Sha256;
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
}

export interface TrainedCandidate {
  readonly candidate_id: string;
  readonly model: Sha256;
  readonly iterations: number;
  /** On the validation split. */
  readonly metrics: Record<string, number>;
}

export interface Evaluated {
  readonly best: string;
  readonly threshold: number;
  /** On the test split. */
  readonly metrics: Record<string, number>;
  /** The full report as JSON. */
  readonly report: Sha256;
  readonly passed: boolean;
  /** One line per gate that does not hold. */
  readonly failures: readonly string[];
}
