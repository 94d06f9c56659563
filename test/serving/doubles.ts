import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createServingApp, type ServingDeps } from '../../serving/app.ts';
import type { ServedSlot } from '../../serving/loaded-model.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import { createServingMetrics } from '../../serving/serving-metrics.ts';
import { principalOf } from '../auth/principals.ts';
import { ratesOf } from '../auth/rates.ts';
import { servedModel, SIGNATURE } from './example-models.ts';

/** A model that answers age / 100. */
export const exampleSlot = (endpoint: string, version: number): ServedSlot => ({
  endpoint,
  revision: version,
  model: servedModel(version),
  validate: compileRowValidator(SIGNATURE),
  score: (rows) =>
    Promise.resolve(rows.map(({ age }) => ({ label: 'no', probability: (age as number) / 100, decision: 'ACCEPT' }))),
  release: () => Promise.resolve(),
});

/** A serving app with `churn` as its default, as it answers over HTTP: who sends no credential has none. */
export function createTestServing(changes: Partial<ServingDeps> = {}) {
  const own = createModelSlots<ServedSlot>(() => undefined);
  own.swap('churn', exampleSlot('churn', 3));
  const { slots = own } = changes;
  const app = createServingApp({
    slots,
    defaultSlot: () => 'churn',
    isKnown: (endpoint) => ['churn', 'loading'].includes(endpoint),
    modelUri: 'models:/churn@production',
    notReady: () => null,
    metrics: createServingMetrics(new Registry(), () => slots.names().map((name) => slots.get(name)!)),
    log: pino({ level: 'silent' }),
    limits: { maxBodyBytes: 20_000, maxRows: 300 },
    enableBoom: false,
    rates: ratesOf(),
    trustedProxies: [],
    corsOrigins: [],
    authenticate: (user) => Promise.resolve(principalOf({ user })),
    ...changes,
  });
  return { app, slots: own };
}
