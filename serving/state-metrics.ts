import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { PredictionLogState } from './prediction-log/start.ts';
import type { ServedSlot } from './served-slot.ts';
import { labelsOf } from './serving-metrics.ts';

export interface ServingState {
  readonly served: () => readonly ServedSlot[];
  /** What waits or is under way, by the name of the queue. */
  readonly queues: Readonly<Record<string, () => number>>;
  readonly predictionLog: () => PredictionLogState;
}

const RESOLUTION_MS = 10;

/** What is looked up when it is asked for: queues, event loop, prediction log, and what models take. */
export function publishState(registry: Registry, { served, queues, predictionLog }: ServingState): void {
  const registers = [registry];
  new Gauge({
    name: 'anneal_queue_depth',
    help: 'What waits or is under way: requests being answered, single rows to be scored, batches on their thread',
    labelNames: ['queue'] as const,
    registers,
    collect() {
      for (const [queue, depth] of Object.entries(queues)) this.set({ queue }, depth());
    },
  });
  publishEventLoopDelay(registers);
  publishPredictionLog(registers, predictionLog);
  publishModels(registers, served);
}

function publishEventLoopDelay(registers: Registry[]): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  new Gauge({
    name: 'anneal_event_loop_delay_seconds',
    help: 'How late the event loop was since it was last asked for; quantile 1 is the worst',
    labelNames: ['quantile'] as const,
    registers,
    collect() {
      // Each value is the time between two looks, which are meant to be the resolution apart.
      const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
      this.set({ quantile: '0.5' }, delays.count > 0 ? late(delays.percentile(50)) : 0);
      this.set({ quantile: '0.99' }, delays.count > 0 ? late(delays.percentile(99)) : 0);
      this.set({ quantile: '1' }, delays.count > 0 ? late(delays.max) : 0);
      delays.reset();
    },
  });
}

function publishPredictionLog(registers: Registry[], state: () => PredictionLogState): void {
  new Gauge({
    name: 'anneal_prediction_log_pending_bytes',
    help: 'Predictions on this disk that are not in Postgres yet',
    registers,
    collect() {
      this.set(state().pendingBytes);
    },
  });
  new Gauge({
    name: 'anneal_prediction_log_oldest_age_seconds',
    help: 'How long the oldest of them has waited',
    registers,
    collect() {
      this.set(state().oldestAgeSeconds);
    },
  });
  new Counter({
    name: 'anneal_prediction_log_predictions_total',
    help: 'Predictions by what became of them: shipped to Postgres, rejected by it, or, without room, answered but dropped, or refused',
    labelNames: ['outcome'] as const,
    registers,
    collect() {
      const { shipped, rejected, dropped, refused } = state();
      this.reset();
      for (const [outcome, count] of Object.entries({ shipped, rejected, dropped, refused }))
        this.inc({ outcome }, count);
    },
  });
}

function publishModels(registers: Registry[], served: () => readonly ServedSlot[]): void {
  const ofModel = <T extends string>(
    name: string,
    help: string,
    more: readonly T[],
    show: (gauge: Gauge, slot: ServedSlot) => void,
  ) =>
    new Gauge({
      ...{ name, help, registers, labelNames: ['endpoint', 'version', ...more] },
      collect() {
        this.reset();
        for (const slot of served()) show(this, slot);
      },
    });
  ofModel('anneal_model_bytes', 'Size of the model file that is loaded', [], (gauge, slot) => {
    if (slot.opened) gauge.set(labelsOf(slot), slot.opened.bytes);
  });
  ofModel('anneal_model_load_seconds', 'From asking for a model to having it tried and loaded', [], (gauge, slot) => {
    if (slot.opened) gauge.set(labelsOf(slot), slot.opened.seconds);
  });
  ofModel(
    'anneal_model_cost_seconds',
    'Median time of scoring so many rows, as measured at loading',
    ['rows'],
    (gauge, slot) => {
      for (const [rows, microseconds] of Object.entries(slot.cost))
        gauge.set({ ...labelsOf(slot), rows }, microseconds / 1e6);
    },
  );
}
