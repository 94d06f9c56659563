import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createServingApp, type ServingDeps } from '../../serving/app.ts';
import { createInFlight } from '../../serving/in-flight.ts';
import type { LoadedModel } from '../../serving/loaded-model.ts';
import type { ModelSetDeps } from '../../serving/model-set.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import type { PackedSession } from '../../serving/scoring/packed-session.ts';
import { layoutOf, type RowBuffers } from '../../serving/scoring/row-buffers.ts';
import { singleLines } from '../../serving/prediction-log/batch-line.ts';
import { createServedSlot, type ServedSlot } from '../../serving/served-slot.ts';
import { createServingMetrics } from '../../serving/serving-metrics.ts';
import { principalOf } from '../auth/principals.ts';
import { ratesOf } from '../auth/rates.ts';
import { servedModel, SIGNATURE } from './example-models.ts';

/** A model that answers age / 100. */
export function exampleLoaded(version: number, changes: Partial<LoadedModel> = {}): LoadedModel {
  const layout = layoutOf(SIGNATURE.inputs);
  const ageOf = ({ numbers }: RowBuffers, row: number) => numbers[row * layout.numbers.length]!;
  return {
    model: servedModel(version),
    validate: compileRowValidator(SIGNATURE),
    layout,
    session: {
      probabilities: (buffers, rows) =>
        Promise.resolve(Float32Array.from({ length: rows }, (_, row) => ageOf(buffers, row) / 100)),
      release: () => Promise.resolve(),
    },
    cost: { 1: 40, 32: 70, 256: 330 },
    lane: 'inline',
    release: () => Promise.resolve(),
    ...changes,
  };
}
export const exampleSlot = (endpoint: string, version: number, changes: Partial<LoadedModel> = {}): ServedSlot =>
  createServedSlot(exampleLoaded(version, changes), { endpoint, revision: version });

/** An example slot whose model is asked through `probabilities`. */
export const slotScoring = (endpoint: string, version: number, probabilities: PackedSession['probabilities']) =>
  exampleSlot(endpoint, version, { session: { probabilities, release: () => Promise.resolve() } });

/** Takes every model for a light one without trying it. */
export const untried: ModelSetDeps['opening'] = {
  tryModel: () => Promise.resolve({ loadMs: 1, cost: { 1: 40, 32: 70, 256: 330 } }),
  openOnThread: () => Promise.reject(new Error('the model is light')),
  stopTrials: () => undefined,
};

/** For tests whose bodies are not large: those in between stay on the event loop. */
export const NO_BATCH_THREAD = { answer: () => Promise.reject(new Error('a large batch')), depth: () => Infinity };

/** Keeps the lines it was given, of one prediction each. */
export function createTestLog() {
  const lines: string[] = [];
  return {
    lines,
    commit: (text: string) =>
      Promise.resolve(
        void lines.push(
          ...text
            .trimEnd()
            .split('\n')
            .flatMap(singleLines)
            .map((line) => line.trimEnd()),
        ),
      ),
  };
}

/** A serving app with `churn` as its default, as it answers over HTTP: who sends no credential has none. */
export function createTestServing(changes: Partial<ServingDeps> = {}) {
  const own = createModelSlots<ServedSlot>(() => undefined);
  own.swap('churn', exampleSlot('churn', 3));
  const { slots = own } = changes;
  const registry = new Registry();
  const app = createServingApp({
    slots,
    defaultSlot: () => 'churn',
    isKnown: (endpoint) => ['churn', 'loading'].includes(endpoint),
    modelUri: 'models:/churn@production',
    notReady: () => null,
    predictionLog: createTestLog(),
    batchThread: NO_BATCH_THREAD,
    inFlight: createInFlight(100),
    traceShare: 1,
    explain: () => Promise.reject(new Error('this test explains nothing')),
    scrape: () => registry.getMetricsAsJSON(),
    metrics: createServingMetrics(registry, () => slots.names().map((name) => slots.get(name)!)),
    log: pino({ level: 'silent' }),
    limits: { maxBodyBytes: 20_000, maxBatchBytes: 20_000, maxRows: 300 },
    enableBoom: false,
    rates: ratesOf(),
    trustedProxies: [],
    corsOrigins: [],
    authenticate: (user) => Promise.resolve(principalOf({ user })),
    ...changes,
  });
  return { app, slots: own };
}
