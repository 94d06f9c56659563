import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServedSlot } from './served-slot.ts';

export type ServingMetrics = ReturnType<typeof createServingMetrics>;
type Slot = ServedSlot | undefined;

/** Labels come from what is loaded, never from a request, so that callers cannot grow them. */
export function createServingMetrics(registry: Registry, served: () => readonly ServedSlot[]) {
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
    help: 'Time from the whole body to the answer',
    labelNames: ['endpoint', 'version'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const rows = new Counter({
    name: 'anneal_predictions_total',
    help: 'Scored rows',
    labelNames: ['endpoint', 'version'] as const,
    registers,
  });
  new Gauge({
    name: 'anneal_model_info',
    help: '1 for each model that is served',
    labelNames: ['endpoint', 'revision', 'model', 'version'] as const,
    registers,
    collect() {
      this.reset();
      for (const slot of served()) {
        const { modelName: model } = slot.model;
        this.set({ ...labelsOf(slot), model, revision: String(slot.revision ?? '') }, 1);
      }
    },
  });

  return {
    scored: (slot: ServedSlot, count: number): void => rows.inc(labelsOf(slot), count),
    answered: (slot: Slot, status: number, elapsedSeconds: number): void => {
      requests.inc({ ...labelsOf(slot), status: String(status) });
      seconds.observe(labelsOf(slot), elapsedSeconds);
    },
    failed: (slot: Slot, code: string): void => errors.inc({ ...labelsOf(slot), code }),
    contentType: registry.contentType,
    text: (): Promise<string> => registry.metrics(),
  };
}

const labelsOf = (slot: Slot) => ({
  endpoint: slot ? (slot.endpoint ?? 'pinned') : 'none',
  version: slot ? String(slot.model.version) : 'none',
});
