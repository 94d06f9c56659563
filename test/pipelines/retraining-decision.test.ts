import { expect, test } from 'vitest';
import { decideRetraining, type EarlierRetraining, type RetrainingFacts } from '../../pipelines/retraining-decision.ts';
import { RetrainingPolicy } from '../../pipelines/retraining-policy.ts';
import type { JudgedWindow } from '../../pipelines/window-evidence.ts';

const now = new Date('2026-11-21T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const HOUR = 3600;
const DAY = 24 * HOUR;

const window = (sequence: number, ...drifted_columns: string[]): JudgedWindow => ({
  sequence,
  drifted: drifted_columns.length > 1,
  prediction_drifted: false,
  drifted_columns,
  estimate: null,
});
const drifted = [window(8, 'age', 'plan'), window(7, 'age', 'plan')];
const run = (change: Partial<EarlierRetraining> = {}): EarlierRetraining => ({
  ...{ started_at: ago(2 * DAY), ended_at: ago(2 * DAY - 600), promoted: true },
  ...{ of_this_version: false, completed: true },
  ...change,
});
const decide = (policy: Parameters<typeof RetrainingPolicy.parse>[0], facts: Partial<RetrainingFacts>) =>
  decideRetraining(RetrainingPolicy.parse(policy), {
    ...{ judged: [], labelled: [], now, version_made_at: ago(DAY), new_labels: 0, earlier: [] },
    ...facts,
  });
const skipped = (policy: object, facts: Partial<RetrainingFacts>) =>
  decide({ on_drift: {}, ...policy }, { judged: drifted, ...facts })?.skipped;

test('two drifted windows in a row start a run, and one does not', () => {
  expect(decide({ on_drift: {} }, { judged: drifted })).toEqual({
    cause: { kind: 'drift', detail: 'age, plan drifted in windows 7, 8', windows: [8, 7] },
    skipped: null,
  });
  expect(skipped({}, { judged: [drifted[0]!, window(7), window(6, 'age', 'plan')] })).toEqual({
    ...{ reason: 'hysteresis', detail: '1 of 2 windows' },
  });
  expect(decide({ on_drift: {} }, { judged: [window(9), ...drifted] })).toBeNull();
  expect(decide({ on_drift: {} }, {})).toBeNull();
});

test('named columns count although the window as a whole has not drifted, and only they do', () => {
  const policy = { on_drift: { windows: 1, columns: ['plan', 'prediction'] } };
  expect(decide(policy, { judged: [window(3, 'plan')] })?.cause.detail).toBe('plan drifted in window 3');
  expect(decide(policy, { judged: [window(3, 'age', 'income')] })).toBeNull();
});

test('a realised metric counts where there are labels enough and it is defined', () => {
  const on_metric = { metric: 'roc_auc', at_least: 0.7, windows: 2, min_labels: 50 };
  const labelled = (sequence: number, roc_auc: number | null, count = 50) => ({
    ...{ sequence, labelled: count, metrics: { roc_auc } },
  });
  expect(decide({ on_metric }, { labelled: [labelled(5, 0.61234), labelled(4, 0.1, 49), labelled(3, 0.69)] })).toEqual({
    cause: { kind: 'metric', detail: 'roc_auc is 0.6123, must be at least 0.7, in windows 3, 5', windows: [5, 3] },
    skipped: null,
  });
  expect(decide({ on_metric }, { labelled: [labelled(5, 0.6), labelled(3, 0.7)] })?.skipped?.reason).toBe('hysteresis');
  expect(decide({ on_metric }, { labelled: [labelled(5, null), labelled(3, 0.1)] })).toBeNull();
  const at_most = { on_metric: { metric: 'log_loss', at_most: 0.5, min_labels: 1 } };
  expect(decide(at_most, { labelled: [{ sequence: 1, labelled: 1, metrics: { log_loss: 0.6 } }] })?.skipped).toBeNull();
});

test('an old version is a cause by itself, and a full cause goes before one that still waits', () => {
  const policy = { on_drift: {}, on_schedule: { every_days: 30 } };
  expect(decide(policy, { version_made_at: ago(30 * DAY) })?.cause).toMatchObject({ kind: 'schedule', windows: [] });
  expect(decide(policy, { version_made_at: ago(30 * DAY - 1) })).toBeNull();
  const both = { version_made_at: ago(31 * DAY), judged: [drifted[0]!] };
  expect(decide(policy, both)).toMatchObject({ cause: { kind: 'schedule' }, skipped: null });
});

test('a run that goes on, or whose version waits for a person, answers the cause already', () => {
  expect(skipped({}, { earlier: [run({ ended_at: null, completed: false })] })?.reason).toBe('running');
  const waiting = run({ promoted: false, of_this_version: true });
  expect(skipped({}, { earlier: [waiting] })?.reason).toBe('waiting for promotion');
  // One that failed made nothing to wait for; one for another version is history.
  expect(skipped({}, { earlier: [{ ...waiting, completed: false }] })).toBeNull();
  expect(skipped({}, { earlier: [{ ...waiting, of_this_version: false }] })).toBeNull();
});

test('the cooldown begins at the end of the last run, whatever became of it', () => {
  const earlier = [run({ ended_at: ago(HOUR), completed: false })];
  expect(skipped({ cooldown_seconds: HOUR + 1 }, { earlier })).toEqual({
    ...{ reason: 'cooldown', detail: 'until 2026-11-21T12:00:01.000Z' },
  });
  expect(skipped({ cooldown_seconds: HOUR }, { earlier })).toBeNull();
});

test('so many runs, and so many minutes, are enough for seven days', () => {
  const week = [run(), run({ started_at: ago(6 * DAY), ended_at: ago(6 * DAY - 300) })];
  expect(skipped({ max_per_week: 2 }, { earlier: week })).toEqual({
    ...{ reason: 'weekly limit', detail: '2 of 2 in seven days' },
  });
  const before = run({ started_at: ago(7 * DAY), ended_at: ago(7 * DAY - 300) });
  expect(skipped({ max_per_week: 2 }, { earlier: [run(), before] })).toBeNull();
  expect(skipped({ budget_minutes_per_week: 15 }, { earlier: week })).toEqual({
    ...{ reason: 'budget', detail: '15.0 of 15 minutes in seven days' },
  });
  expect(skipped({ budget_minutes_per_week: 15.1 }, { earlier: week })).toBeNull();
});

test('without the labels it asks for, a policy waits', () => {
  expect(skipped({ min_new_labels: 100 }, { new_labels: 99 })).toEqual({
    ...{ reason: 'too few labels', detail: '99 of 100 new ones' },
  });
  expect(skipped({ min_new_labels: 100 }, { new_labels: 100 })).toBeNull();
});
