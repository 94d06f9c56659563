import type { RawRow } from '../../ml/signature.ts';

/** One acknowledged prediction: a row of `predictions` in Postgres, and a line of JSON in the spool if it was asked for alone. */
export interface PredictionRecord {
  /** UUIDv7; its time is the prediction's. */
  readonly id: string;
  /** Null, with `revision`, for a pinned version. */
  readonly endpoint: string | null;
  readonly revision: number | null;
  readonly model: string;
  readonly version: number;
  /** As the caller sent them, with `entity_column`. */
  readonly features: RawRow;
  readonly probability: number;
  readonly label: string;
  readonly decision: string;
  /** From the request's arrival to the answer's text. */
  readonly latency_us: number;
  readonly trace_id: string | null;
  readonly request_id: string;
  /** User name; `user/key-name` for an API key. */
  readonly caller: string;
  /** `entity` of the signature, where it has one. */
  readonly entity_column?: string;
}

/**
 * Acknowledged predictions of one request, of which what is the same is said once: a line of JSON in the spool that
 * starts with `rows`. Postgres takes it apart.
 */
export interface PredictionBatch extends Omit<
  PredictionRecord,
  'id' | 'features' | 'probability' | 'label' | 'decision'
> {
  readonly rows: number;
  readonly ids: readonly string[];
  readonly features: readonly RawRow[];
  readonly probabilities: readonly number[];
  /** From this probability on it is the second label and decision. */
  readonly cut: number;
  readonly labels: readonly [negative: string, positive: string];
  readonly decisions: readonly [negative: string, positive: string];
}

/** Keeps what is acknowledged. */
export interface PredictionLog {
  /**
   * Resolves when the lines (each a PredictionRecord or a PredictionBatch, and "\n") are written; only then may they be answered. What is
   * committed together is one write. Rejects with UNAVAILABLE when there is no room to keep them.
   */
  readonly commit: (lines: string) => Promise<void>;
}
