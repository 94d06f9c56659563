import type { ColumnDrift, DriftSettings } from '../ml/drift/drift-report.ts';
import type { EarlierWindow } from '../ml/drift/window-report.ts';
import type { ModelSignature } from '../ml/signature.ts';
import type { Sha256 } from './artifacts.ts';

/** What `model_versions.reference_profile_sha256` points to. Versions of an early day lack what may be absent. */
export interface ReferenceProfile {
  /** Rows of the test split as Parquet: raw features, `probability` (the model's own) and `label` (the class as text). */
  readonly sample?: { readonly sha256: Sha256; readonly rows: number };
  /** Are the model's probabilities shares, as its test split says? */
  readonly estimate?: { readonly calibrated: boolean; readonly expected_calibration_error: number };
}

/** A line of `rows_file`. */
export interface WindowRow {
  /** UUIDv7. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly features: Readonly<Record<string, number | string | boolean | null>>;
  readonly probability: number;
  /** The predicted class. */
  readonly label: string;
  readonly decision: string;
  /** What the prediction is about, where the caller said so. */
  readonly entity?: string | null;
}

/** All that decides what is found in a window: the same input leaves the same bytes. */
export interface ComputeWindowInput {
  readonly endpoint: string;
  readonly sequence: number;
  readonly model: { readonly name: string; readonly version: number };
  readonly signature: ModelSignature;
  readonly drift: DriftSettings;
  /** The sample of the version's profile, or a Parquet file on this machine that stands for it. */
  readonly reference: { readonly sha256: Sha256 } | { readonly path: string };
  /** `estimate.calibrated` of the version's profile. */
  readonly calibrated: boolean;
  /** Path of NDJSON on this machine: a WindowRow per line, ordered by position. */
  readonly rows_file: string;
  /** Times are ISO 8601, UTC. */
  readonly window: {
    readonly rows: number;
    readonly first_at: string;
    readonly last_at: string;
    readonly closed_at: string;
  };
  /** Earlier windows of the same version, the oldest first, at most 30. */
  readonly history?: readonly EarlierWindow[];
}

/** What a row of `drift_reports` holds. */
export interface ComputedWindow {
  readonly judged: boolean;
  readonly drifted: boolean;
  /** Of the features. */
  readonly drifted_share: number;
  readonly prediction_drifted: boolean;
  readonly columns: readonly Omit<ColumnDrift, 'distribution'>[];
  readonly estimate: Readonly<Record<string, number>> | null;
  readonly report_sha256: Sha256;
  readonly page_sha256: Sha256;
  readonly archive_sha256: Sha256;
  readonly sketches_sha256: Sha256;
}
