import type { ColumnDrift, DriftReport } from './drift-report.ts';

/** The report of a window of predictions, as it is stored and answered. */
export interface WindowReport extends DriftReport {
  readonly endpoint: string;
  readonly sequence: number;
  readonly model: string;
  readonly version: number;
  /** Times of the window's first and last prediction, and when it was closed: ISO 8601, UTC. */
  readonly first_at: string;
  readonly last_at: string;
  readonly closed_at: string;
  /** Performance by the probabilities alone, by metric; null if the model is not calibrated. */
  readonly estimate: Readonly<Record<string, number>> | null;
  /** Earlier windows of the same version, the oldest first, at most 30. */
  readonly history: readonly EarlierWindow[];
}

export interface EarlierWindow {
  readonly sequence: number;
  readonly closed_at: string;
  /** By column; scores of different methods do not compare. */
  readonly columns: Readonly<Record<string, Pick<ColumnDrift, 'method' | 'score' | 'drifted'>>>;
}
