import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { exemplarOf } from '../lib/exposition.ts';
import type { ServedSlot } from './served-slot.ts';

export type ServingMetrics = ReturnType<typeof createServingMetrics>;
/** Which model answers; undefined when none does. */
type Slot = Pick<ServedSlot, 'endpoint' | 'model'> | undefined;

const FORGET_AFTER_MS = 3_600_000;
const NO_SLOT = {};

/**
 * What is counted of requests. Labels come from what is loaded, never from a request, so that callers cannot grow them;
 * those of a version that has not been served for an hour are forgotten, so that deployments do not either.
 */
export function createServingMetrics(
  registry: Registry,
  served: () => readonly ServedSlot[],
  forgetAfterMs = FORGET_AFTER_MS,
) {
  const registers = [registry];
  const requests = new Counter({
    name: 'anneal_prediction_requests_total',
    help: 'Prediction requests by HTTP status',
    labelNames: ['endpoint', 'version', 'status'] as const,
    registers,
  });
  const errors = new Counter({
    name: 'anneal_prediction_errors_total',
    help: 'Prediction requests that were refused or failed, by problem code',
    labelNames: ['endpoint', 'version', 'code'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'anneal_prediction_request_seconds',
    help: 'Time from the request to the answer',
    labelNames: ['endpoint', 'version'] as const,
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    enableExemplars: true,
    registers: [], // would refuse exemplars, for a registry's own text has none
  });
  registry.registerMetric(seconds);
  const rows = new Counter({
    name: 'anneal_predictions_total',
    help: 'Scored rows',
    labelNames: ['endpoint', 'version'] as const,
    registers,
  });
  const batches = new Histogram({
    name: 'anneal_batch_rows',
    help: 'Rows of single requests that were scored together',
    labelNames: ['endpoint', 'version'] as const,
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  });

  // Found by the slot, for looking labels up in each metric costs more than counting.
  const found = new WeakMap<object, Series>();
  const known = new Map<string, Series>();
  const open = (slot: Slot): Series => {
    const labels = labelsOf(slot);
    const key = `${labels.endpoint}/${labels.version}`;
    const one = known.get(key) ?? {
      ...{ labels, lastServedMs: performance.now(), statuses: new Map(), codes: new Map() },
      seconds: seconds.labels(labels),
      rows: rows.labels(labels),
      batches: batches.labels(labels),
    };
    known.set(key, one);
    found.set(slot ?? NO_SLOT, one);
    return one;
  };
  const of = (slot: Slot): Series => found.get(slot ?? NO_SLOT) ?? open(slot);
  const answersOf = ({ labels, statuses }: Series, status: number) => {
    const child = requests.labels({ ...labels, status: String(status) });
    statuses.set(status, child);
    return child;
  };
  const failuresOf = ({ labels, codes }: Series, code: string) => {
    const child = errors.labels({ ...labels, code });
    codes.set(code, child);
    return child;
  };
  const forget = (key: string, { labels, statuses, codes }: Series) => {
    known.delete(key);
    for (const metric of [seconds, rows, batches]) metric.remove(labels);
    for (const status of statuses.keys()) requests.remove({ ...labels, status: String(status) });
    for (const code of codes.keys()) errors.remove({ ...labels, code });
  };

  new Gauge({
    name: 'anneal_model_info',
    help: '1 for each model that is served',
    labelNames: ['endpoint', 'revision', 'model', 'version'] as const,
    registers,
    collect() {
      this.reset();
      for (const slot of served()) {
        of(slot).lastServedMs = performance.now();
        const { modelName: model } = slot.model;
        this.set({ ...labelsOf(slot), model, revision: String(slot.revision ?? '') }, 1);
      }
      of(undefined).lastServedMs = performance.now();
      for (const [key, one] of known) if (performance.now() - one.lastServedMs > forgetAfterMs) forget(key, one);
    },
  });

  return {
    scored: (slot: Slot, count: number): void => of(slot).rows.inc(count),
    /** `trace` can be looked up; null without one. */
    answered: (slot: Slot, status: number, elapsedSeconds: number, trace: string | null = null): void => {
      const one = of(slot);
      (one.statuses.get(status) ?? answersOf(one, status)).inc();
      if (trace === null) one.seconds.observe(elapsedSeconds);
      else seconds.observe({ labels: one.labels, value: elapsedSeconds, exemplarLabels: exemplarOf(trace) });
    },
    failed: (slot: Slot, code: string): void => {
      const one = of(slot);
      (one.codes.get(code) ?? failuresOf(one, code)).inc();
    },
    /** Single rows that were scored together. */
    batch: (slot: Slot, count: number): void => of(slot).batches.observe(count),
  };
}

interface Series {
  readonly labels: { readonly endpoint: string; readonly version: string };
  lastServedMs: number;
  readonly statuses: Map<number, Counter.Internal>;
  readonly codes: Map<string, Counter.Internal>;
  readonly seconds: Histogram.Internal<'endpoint' | 'version'>;
  readonly rows: Counter.Internal;
  readonly batches: Histogram.Internal<'endpoint' | 'version'>;
}

/** Of what is counted and measured for a model. */
export const labelsOf = (slot: Slot) => ({
  endpoint: slot ? (slot.endpoint ?? 'pinned') : 'none',
  version: slot ? String(slot.model.version) : 'none',
});
