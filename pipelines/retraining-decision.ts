import type { RetrainingPolicy } from './retraining-policy.ts';
import { type Evidence, missedBar, nameSome } from './window-evidence.ts';

export const RETRAINING_CAUSES = ['drift', 'metric', 'schedule'] as const;
export const SKIP_REASONS = [
  'hysteresis',
  'running',
  'waiting for promotion',
  'cooldown',
  'weekly limit',
  'budget',
  'too few labels',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** Why a version should be trained again. */
export interface RetrainingCause {
  readonly kind: (typeof RETRAINING_CAUSES)[number];
  /** For people. */
  readonly detail: string;
  /** The windows that show it, newest first. */
  readonly windows: readonly number[];
}
/** An earlier retraining of the same endpoint. */
export interface EarlierRetraining {
  readonly started_at: Date;
  /** null while it runs. */
  readonly ended_at: Date | null;
  readonly promoted: boolean;
  /** Was it because of the version that is served now? */
  readonly of_this_version: boolean;
  /** Did it make a version? */
  readonly completed: boolean;
}
export interface RetrainingFacts extends Evidence {
  readonly now: Date;
  readonly version_made_at: Date;
  /** Labels that came since the version was made; counted up to `min_new_labels`. */
  readonly new_labels: number;
  /** Newest first, as many as `max_per_week`. */
  readonly earlier: readonly EarlierRetraining[];
}
/** `skipped` is null when a run is to start. */
export interface RetrainingDecision {
  readonly cause: RetrainingCause;
  readonly skipped: { readonly reason: SkipReason; readonly detail: string } | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;

/** Should the version that is served now be trained again? null when nothing speaks for it. */
export function decideRetraining(policy: RetrainingPolicy, facts: RetrainingFacts): RetrainingDecision | null {
  const found = [driftCause(policy, facts), metricCause(policy, facts), ageCause(policy, facts)].filter(
    (cause) => cause !== null,
  );
  const chosen = found.find(({ cause, needed }) => cause.windows.length >= needed) ?? found[0];
  if (!chosen) return null;
  const { cause, needed } = chosen;
  if (cause.windows.length < needed) {
    return { cause, skipped: { reason: 'hysteresis', detail: `${cause.windows.length} of ${needed} windows` } };
  }
  return { cause, skipped: obstacle(policy, facts) };
}

/** A cause that is there when at least `needed` windows show it. */
interface Found {
  readonly cause: RetrainingCause;
  readonly needed: number;
}

function driftCause({ on_drift }: RetrainingPolicy, { judged }: Evidence): Found | null {
  if (!on_drift) return null;
  const columnsOf = (window: Evidence['judged'][number]) =>
    window.drifted_columns.filter((column) => on_drift.columns?.includes(column) ?? true);
  const streak = whileTrue(judged.slice(0, on_drift.windows), (window) =>
    on_drift.columns ? columnsOf(window).length > 0 : window.drifted,
  );
  if (streak.length === 0) return null;
  const windows = streak.map(({ sequence }) => sequence);
  const detail = `${nameSome(columnsOf(streak[0]!))} drifted in ${windowsText(windows)}`;
  return { cause: { kind: 'drift', detail, windows }, needed: on_drift.windows };
}

function metricCause({ on_metric }: RetrainingPolicy, { labelled }: Evidence): Found | null {
  if (!on_metric) return null;
  const usable = labelled.filter((window) => window.labelled >= on_metric.min_labels).slice(0, on_metric.windows);
  const streak = whileTrue(usable, ({ metrics }) => missedBar(metrics, on_metric) !== null);
  if (streak.length === 0) return null;
  const windows = streak.map(({ sequence }) => sequence);
  const detail = `${missedBar(streak[0]!.metrics, on_metric)}, in ${windowsText(windows)}`;
  return { cause: { kind: 'metric', detail, windows }, needed: on_metric.windows };
}

function ageCause({ on_schedule }: RetrainingPolicy, { now, version_made_at }: RetrainingFacts): Found | null {
  if (!on_schedule) return null;
  const days = Math.floor((now.getTime() - version_made_at.getTime()) / DAY_MS);
  if (days < on_schedule.every_days) return null;
  const detail = `the version is ${days} days old, a new one is due after ${on_schedule.every_days}`;
  return { cause: { kind: 'schedule', detail, windows: [] }, needed: 0 };
}

/** What keeps a run from starting although there is a cause. */
function obstacle(policy: RetrainingPolicy, facts: RetrainingFacts): RetrainingDecision['skipped'] {
  const { now, earlier, new_labels } = facts;
  const [last] = earlier;
  if (last?.ended_at === null) return { reason: 'running', detail: `since ${last.started_at.toISOString()}` };
  if (last?.completed && !last.promoted && last.of_this_version) {
    return { reason: 'waiting for promotion', detail: 'the version that was trained for this cause is not served' };
  }
  const restedAt = new Date((last?.ended_at.getTime() ?? -Infinity) + policy.cooldown_seconds * 1000);
  if (restedAt > now) return { reason: 'cooldown', detail: `until ${restedAt.toISOString()}` };
  const recent = earlier.filter(({ started_at }) => now.getTime() - started_at.getTime() < WEEK_MS);
  if (recent.length >= policy.max_per_week) {
    return { reason: 'weekly limit', detail: `${recent.length} of ${policy.max_per_week} in seven days` };
  }
  const { budget_minutes_per_week: budget = Infinity } = policy;
  const spent = recent.reduce((sum, run) => sum + run.ended_at!.getTime() - run.started_at.getTime(), 0) / MINUTE_MS;
  if (spent >= budget) {
    return { reason: 'budget', detail: `${spent.toFixed(1)} of ${budget} minutes in seven days` };
  }
  if (new_labels < policy.min_new_labels) {
    return { reason: 'too few labels', detail: `${new_labels} of ${policy.min_new_labels} new ones` };
  }
  return null;
}

function whileTrue<T>(items: readonly T[], holds: (item: T) => boolean): readonly T[] {
  const end = items.findIndex((item) => !holds(item));
  return end === -1 ? items : items.slice(0, end);
}

const windowsText = (windows: readonly number[]) =>
  windows.length === 1 ? `window ${windows[0]}` : `windows ${[...windows].reverse().join(', ')}`;
