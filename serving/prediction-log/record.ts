import type { RawRow } from '../../ml/signature.ts';

/** One acknowledged prediction: a line of JSON in the spool, a row of `predictions` in Postgres. */
export interface PredictionRecord {
  /** UUIDv7; its time is the prediction's. */
  readonly id: string;
  /** Null, with `revision`, for a pinned version. */
  readonly endpoint: string | null;
  readonly revision: number | null;
  readonly model: string;
  readonly version: number;
  /** As the caller sent them. */
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
}

/** Keeps what is acknowledged. */
export interface PredictionLog {
  /**
   * Resolves when the lines (each a PredictionRecord and "\n") are written; only then may they be answered. What is
   * committed together is one write. Rejects with UNAVAILABLE when there is no room to keep them.
   */
  readonly commit: (lines: string) => Promise<void>;
}
