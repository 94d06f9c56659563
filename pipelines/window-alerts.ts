import type { MetricBar } from './metric-bar.ts';
import { type Evidence, missedBar, nameSome } from './window-evidence.ts';

export const ALERT_KINDS = [
  'drift',
  'prediction_drift',
  'performance',
  'estimated_performance',
  'retraining_failed',
  'retraining_skipped',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];
export const SEVERITY = {
  drift: 'warning',
  prediction_drift: 'warning',
  performance: 'critical',
  estimated_performance: 'warning',
  retraining_failed: 'critical',
  retraining_skipped: 'warning',
} as const satisfies Record<AlertKind, string>;
export const SEVERITIES = ['warning', 'critical'] as const;

/** What is known of a kind now. What no window speaks of has no signal: its alert stays as it is. */
export interface AlertSignal {
  readonly kind: AlertKind;
  /** The window that says so. */
  readonly sequence: number;
  /** What is wrong; null when all is well. */
  readonly message: string | null;
}

/** What the newest windows of the served version say. `bars` are what its performance must reach. */
export function alertsOf({ judged, labelled }: Evidence, bars: readonly MetricBar[]): AlertSignal[] {
  const [last] = judged;
  const [known] = labelled;
  const signals: AlertSignal[] = [];
  if (last) {
    const { sequence } = last;
    const features = last.drifted_columns.filter((column) => column !== 'prediction' && column !== 'target');
    signals.push(
      { kind: 'drift', sequence, message: last.drifted ? `the data has drifted: ${nameSome(features)}` : null },
      {
        kind: 'prediction_drift',
        sequence,
        message: last.prediction_drifted ? 'the predictions have drifted' : null,
      },
    );
  }
  if (last?.estimate) {
    const missed = missedBars(last.estimate, bars);
    const message = missed && `by the probabilities alone, ${missed}`;
    signals.push({ kind: 'estimated_performance', sequence: last.sequence, message });
  }
  if (known) {
    const missed = missedBars(known.metrics, bars);
    const message = missed && `by ${known.labelled} labels, ${missed}`;
    signals.push({ kind: 'performance', sequence: known.sequence, message });
  }
  return signals;
}

function missedBars(metrics: Evidence['labelled'][number]['metrics'], bars: readonly MetricBar[]): string | null {
  const missed = bars.map((bar) => missedBar(metrics, bar)).filter((text) => text !== null);
  return missed.length > 0 ? missed.join('; ') : null;
}
