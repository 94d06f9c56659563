import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { DriftState, EndpointState, JudgedWindow, PlatformStateRepository } from '../../../db/platform-state.ts';
import { startPlatformMetrics } from '../../../workers/metrics/platform-metrics.ts';

const SOON = { timeout: 60_000 };

const endpoint = (changes: Partial<EndpointState> = {}): EndpointState => ({
  ...{ endpoint: 'churn', model: 'churn', version: 3, createdSeconds: 100, activatedSeconds: 200 },
  ...{ lastPredictionSeconds: null, waiting: 7, unreported: 1 },
  ...changes,
});
const drift = (changes: Partial<DriftState> = {}): DriftState => ({
  ...{ endpoint: 'churn', version: 3, sequence: 4, rows: 1000, lastSeconds: 300, judged: true, drifted: true },
  ...{ driftedShare: 0.5, predictionDrifted: false, estimate: { roc_auc: 0.75 } },
  columns: [
    { column: 'age', method: 'ks', score: 0.01, drifted: true },
    { column: 'empty', method: 'ks', score: null, drifted: false },
  ],
  ...changes,
});

/** Metrics of what the answers say, looked at a few times in each test. */
function start(answers: Partial<PlatformStateRepository> = {}, readTaskQueues = () => Promise.resolve([])) {
  const registry = new Registry();
  const log = pino({ level: 'silent' });
  const warn = vi.spyOn(log, 'warn');
  const repository: PlatformStateRepository = {
    endpoints: () => Promise.resolve([endpoint()]),
    drift: () => Promise.resolve([drift()]),
    realised: () => Promise.resolve([]),
    runs: () => Promise.resolve([{ kind: 'train_model', state: 'FAILED', count: 2 }]),
    windowsSince: () => Promise.resolve([]),
    ...answers,
  };
  const metrics = startPlatformMetrics({ registry, repository, readTaskQueues, log, everyMs: 5 });
  onTestFinished(metrics.stop);
  const lines = async () => (await registry.metrics()).split('\n');
  const becomes = (line: string) => vi.waitFor(async () => expect(await lines()).toContain(line), SOON);
  return { lines, becomes, warn };
}

test('what is there now has its series, and a score or time that is missing has none', async () => {
  const { lines, becomes } = start({ realised: () => Promise.resolve([{ endpoint: 'churn', version: 3, labelled: 9, metrics: { labelled: 9, roc_auc: 0.8, pr_auc: null, confusion: {} } }]) }); // prettier-ignore
  await becomes('anneal_drift_share{endpoint="churn",version="3"} 0.5');
  const shown = await lines();
  for (const line of [
    'anneal_drift_detected{endpoint="churn",version="3"} 1',
    'anneal_drift_column_score{endpoint="churn",column="age",method="ks"} 0.01',
    'anneal_drift_column_detected{endpoint="churn",column="empty"} 0',
    'anneal_drift_waiting_predictions{endpoint="churn",version="3"} 7',
    'anneal_model_created_timestamp_seconds{endpoint="churn",version="3"} 100',
    'anneal_estimated_performance{endpoint="churn",version="3",metric="roc_auc"} 0.75',
    'anneal_realised_performance{endpoint="churn",version="3",metric="roc_auc"} 0.8',
    'anneal_labelled_predictions{endpoint="churn",version="3"} 9',
    'anneal_state_readable{source="postgres"} 1',
  ])
    expect(shown).toContain(line);
  const samples = (start: string) => shown.filter((line) => line.startsWith(start));
  expect(samples('anneal_drift_column_score{')).toHaveLength(1);
  expect(samples('anneal_last_prediction_timestamp_seconds{')).toEqual([]);
  expect(samples('anneal_realised_performance{')).toHaveLength(1);
});

test('runs that never were have a count of 0, so that the first failure is a rise', async () => {
  const { lines, becomes } = start();
  await becomes('anneal_runs_finished_total{kind="train_model",state="failed"} 2');
  expect(await lines()).toContain('anneal_runs_finished_total{kind="deploy_model",state="failed"} 0');
  expect(await lines()).toContain('anneal_runs_active{kind="train_model",state="running"} 0');
});

test('series of a version or an endpoint that is served no more are forgotten', async () => {
  let endpoints = [endpoint(), endpoint({ endpoint: 'loans', version: 1 })];
  let states = [drift(), drift({ endpoint: 'loans', version: 1 })];
  const { lines, becomes } = start({
    endpoints: () => Promise.resolve(endpoints),
    drift: () => Promise.resolve(states),
  });
  await becomes('anneal_drift_share{endpoint="loans",version="1"} 0.5');
  endpoints = [endpoint({ version: 4 })];
  states = [drift({ version: 4 })];
  await becomes('anneal_drift_share{endpoint="churn",version="4"} 0.5');
  const left = (await lines()).filter((line) => /endpoint="loans"|version="[13]"/.test(line));
  expect(left).toEqual([]);
});

test('what cannot be read has no series until it can, and is warned of once; the other source goes on', async () => {
  let away = false;
  const { lines, becomes, warn } = start({
    endpoints: () => (away ? Promise.reject(new Error('away')) : Promise.resolve([endpoint()])),
  });
  await becomes('anneal_state_readable{source="postgres"} 1');
  away = true;
  await becomes('anneal_state_readable{source="postgres"} 0');
  const gone = (await lines()).filter((line) => /^anneal_(drift_share|runs|model)[a-z_]*\{/.test(line));
  expect(gone).toEqual([]);
  expect(await lines()).toContain('anneal_state_readable{source="temporal"} 1');
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(warn).toHaveBeenCalledTimes(1);
  away = false;
  await becomes('anneal_drift_share{endpoint="churn",version="3"} 0.5');
});

test('a window is counted once, by its verdict, and not those from before the start', async () => {
  const window = (sequence: number, judged: boolean, drifted: boolean): JudgedWindow => ({
    ...{ endpoint: 'churn', sequence, judged, drifted },
  });
  let windows = [window(1, true, true), window(2, true, true)];
  const { lines, becomes } = start({ windowsSince: () => Promise.resolve(windows) });
  await becomes('anneal_drift_windows_total{endpoint="churn",verdict="drifted"} 0');
  await becomes('anneal_state_readable{source="postgres"} 1');
  // The fourth could not be computed at first.
  windows = [...windows, window(3, true, true), window(5, false, false)];
  await becomes('anneal_drift_windows_total{endpoint="churn",verdict="not_judged"} 1');
  windows = [...windows, window(4, true, false)];
  await becomes('anneal_drift_windows_total{endpoint="churn",verdict="stable"} 1');
  await becomes('anneal_drift_windows_total{endpoint="churn",verdict="drifted"} 1');
  await new Promise((resolve) => setTimeout(resolve, 30));
  const counts = (await lines()).filter((line) => line.startsWith('anneal_drift_windows_total{'));
  expect(counts.sort()).toEqual([
    'anneal_drift_windows_total{endpoint="churn",verdict="drifted"} 1',
    'anneal_drift_windows_total{endpoint="churn",verdict="not_judged"} 1',
    'anneal_drift_windows_total{endpoint="churn",verdict="stable"} 1',
  ]);
});
