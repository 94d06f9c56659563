import type { MetricBar } from './metric-bar.ts';

/** What the report of a window says, as far as somebody acts on it. */
export interface JudgedWindow {
  readonly sequence: number;
  readonly drifted: boolean;
  readonly prediction_drifted: boolean;
  /** Features by name; `prediction`, `target`. */
  readonly drifted_columns: readonly string[];
  /** Performance by the probabilities alone; null when the model is not calibrated. */
  readonly estimate: Readonly<Record<string, number>> | null;
}
/** A window with labels enough. */
export interface LabelledWindow {
  readonly sequence: number;
  readonly labelled: number;
  /** null where the labels do not define the metric. */
  readonly metrics: Readonly<Partial<Record<string, unknown>>>;
}
/** Of one version behind one endpoint, newest first, at most as many as the policy looks at. */
export interface Evidence {
  readonly judged: readonly JudgedWindow[];
  readonly labelled: readonly LabelledWindow[];
}

/** What is wrong, as `roc_auc is 0.61, must be at least 0.7`; null when the bar is met or the metric is not known. */
export function missedBar(metrics: LabelledWindow['metrics'], { metric, at_least, at_most }: MetricBar): string | null {
  const value = metrics[metric];
  if (typeof value !== 'number') return null;
  const shown = `${metric} is ${Number(value.toFixed(4))}, must be`;
  if (at_least !== undefined && value < at_least) return `${shown} at least ${at_least}`;
  return at_most !== undefined && value > at_most ? `${shown} at most ${at_most}` : null;
}

/** As `age, plan and 3 more`. */
export const nameSome = (names: readonly string[], shown = 5) =>
  names.slice(0, shown).join(', ') + (names.length > shown ? ` and ${names.length - shown} more` : '');
