import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { expose, type Snapshot } from '../../lib/exposition.ts';
import { sumOf } from '../../serving/cluster/shared-metrics.ts';
import type { PredictionLogState } from '../../serving/prediction-log/start.ts';
import { createServingMetrics } from '../../serving/serving-metrics.ts';
import { publishState } from '../../serving/state-metrics.ts';
import { exampleSlot } from './doubles.ts';

const linesOf = async (registry: Registry, name: string) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(name));

test('requests, errors, rows and batches are counted by what is loaded', async () => {
  const registry = new Registry();
  const slot = exampleSlot('churn', 3);
  const metrics = createServingMetrics(registry, () => [slot]);
  metrics.answered(slot, 200, 0.0002);
  metrics.answered(slot, 200, 0.02);
  metrics.answered(undefined, 404, 0.001);
  metrics.failed(undefined, 'NOT_FOUND');
  metrics.scored(slot, 12);
  metrics.batch(slot, 5);
  expect(await linesOf(registry, 'anneal_prediction_requests_total')).toEqual([
    'anneal_prediction_requests_total{endpoint="churn",version="3",status="200"} 2',
    'anneal_prediction_requests_total{endpoint="none",version="none",status="404"} 1',
  ]);
  expect(await linesOf(registry, 'anneal_prediction_errors_total')).toEqual([
    'anneal_prediction_errors_total{endpoint="none",version="none",code="NOT_FOUND"} 1',
  ]);
  expect(await linesOf(registry, 'anneal_predictions_total')).toEqual([
    'anneal_predictions_total{endpoint="churn",version="3"} 12',
  ]);
  const buckets = (await linesOf(registry, 'anneal_prediction_request_seconds_bucket')).join('\n');
  expect(buckets).toContain('{le="0.0001",endpoint="churn",version="3"} 0');
  expect(buckets).toContain('{le="0.00025",endpoint="churn",version="3"} 1');
  const rows = (await linesOf(registry, 'anneal_batch_rows_bucket')).join('\n');
  expect(rows).toContain('{le="4",endpoint="churn",version="3"} 0\n');
  expect(rows).toContain('{le="8",endpoint="churn",version="3"} 1\n');
});

test('the newest trace of a bucket is shown, also when processes share a port', async () => {
  const slot = exampleSlot('churn', 3);
  const processes = [new Registry(), new Registry()];
  const [first, second] = processes.map((registry) => createServingMetrics(registry, () => [slot]));
  first!.answered(slot, 200, 0.02, 'a'.repeat(32));
  await new Promise((resolve) => setTimeout(resolve, 5));
  second!.answered(slot, 200, 0.02, 'b'.repeat(32));
  second!.answered(slot, 200, 0.02);
  const shown = async (snapshots: Snapshot[]) => {
    const { text } = await expose(await sumOf(snapshots), 'application/openmetrics-text');
    return text
      .split('\n')
      .filter((line) => line.includes('trace_id'))
      .map((line) => line.replace(/ [\d.]+$/, ''));
  };
  const bucket = 'anneal_prediction_request_seconds_bucket{le="0.025",endpoint="churn",version="3"}';
  const snapshots = await Promise.all(processes.map((registry) => registry.getMetricsAsJSON()));
  const newest = [`${bucket} 3 # {trace_id="${'b'.repeat(32)}"} 0.02`];
  expect(await shown(snapshots)).toEqual(newest);
  expect(await shown(snapshots.toReversed())).toEqual(newest);
});

test('slots of one version count together; a version that is served no more is forgotten after a while, and counts anew', async () => {
  const registry = new Registry();
  const [first, again, next] = [exampleSlot('churn', 3), exampleSlot('churn', 3), exampleSlot('churn', 4)];
  let served = [again];
  const metrics = createServingMetrics(registry, () => served, 5);
  const counted = () => linesOf(registry, 'anneal_predictions_total');
  metrics.scored(first, 1);
  metrics.scored(again, 1);
  expect(await counted()).toEqual(['anneal_predictions_total{endpoint="churn",version="3"} 2']);
  served = [next];
  metrics.scored(next, 1);
  await registry.metrics();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await registry.metrics();
  expect(await counted()).toEqual(['anneal_predictions_total{endpoint="churn",version="4"} 1']);
  metrics.scored(first, 7);
  expect((await counted()).sort()).toEqual([
    'anneal_predictions_total{endpoint="churn",version="3"} 7',
    'anneal_predictions_total{endpoint="churn",version="4"} 1',
  ]);
});

test('queues, event loop, prediction log and models are as they are when asked for', async () => {
  const registry = new Registry();
  const slot = exampleSlot('churn', 3, { opened: { bytes: 4096, seconds: 0.5 } });
  let log: PredictionLogState = {
    pendingBytes: 0,
    oldestAgeSeconds: 0,
    shipped: 5,
    rejected: 0,
    dropped: 0,
    refused: 0,
  };
  let requests = 0;
  publishState(registry, { served: () => [slot], queues: { requests: () => requests }, predictionLog: () => log });
  expect(await linesOf(registry, 'anneal_queue_depth')).toEqual(['anneal_queue_depth{queue="requests"} 0']);
  await new Promise((resolve) => setTimeout(resolve, 50)); // begins to watch
  requests = 3;
  log = { pendingBytes: 900, oldestAgeSeconds: 1.5, shipped: 7, rejected: 1, dropped: 2, refused: 3 };
  const busyUntil = performance.now() + 100;
  while (performance.now() < busyUntil);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const text = await registry.metrics();
  for (const line of [
    'anneal_queue_depth{queue="requests"} 3',
    'anneal_prediction_log_pending_bytes 900',
    'anneal_prediction_log_oldest_age_seconds 1.5',
    'anneal_prediction_log_predictions_total{outcome="shipped"} 7',
    'anneal_prediction_log_predictions_total{outcome="rejected"} 1',
    'anneal_prediction_log_predictions_total{outcome="dropped"} 2',
    'anneal_prediction_log_predictions_total{outcome="refused"} 3',
    'anneal_model_bytes{endpoint="churn",version="3"} 4096',
    'anneal_model_load_seconds{endpoint="churn",version="3"} 0.5',
    'anneal_model_cost_seconds{endpoint="churn",version="3",rows="32"} 0.00007',
  ])
    expect(text.split('\n')).toContain(line);
  const worst = /anneal_event_loop_delay_seconds\{quantile="1"\} (\S+)/.exec(text)?.[1];
  expect(Number(worst)).toBeGreaterThan(0.05);
});
