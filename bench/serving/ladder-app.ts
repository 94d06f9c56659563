import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { Registry } from 'prom-client';
import { createAuthenticator } from '../../auth/authenticator.ts';
import type { Authenticate } from '../../auth/principal.ts';
import type { CallerRates } from '../../auth/rates.ts';
import { createTokens } from '../../auth/tokens.ts';
import { connect } from '../../db/connect.ts';
import { createPredictionRepository } from '../../db/predictions.ts';
import { createRateLimitRepository } from '../../db/rate-limits.ts';
import { loadConfig } from '../../lib/config.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { createLogger } from '../../lib/log.ts';
import { startTelemetry } from '../../lib/telemetry.ts';
import { createInFlight } from '../../serving/in-flight.ts';
import type { LoadedModel } from '../../serving/loaded-model.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { noPredictionLog, startPredictionLog } from '../../serving/prediction-log/start.ts';
import { startServingRates } from '../../serving/rates.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import { createMicroBatcher } from '../../serving/scoring/micro-batcher.ts';
import { openPackedSession } from '../../serving/scoring/packed-session.ts';
import { layoutOf, type RowBuffers } from '../../serving/scoring/row-buffers.ts';
import { compileRowWriter } from '../../serving/scoring/row-writer.ts';
import { createServedSlot, type ServedSlot } from '../../serving/served-slot.ts';
import { createServingMetrics, type ServingMetrics } from '../../serving/serving-metrics.ts';
import { principalOf } from '../../test/auth/principals.ts';
import { createTestServing } from '../../test/serving/doubles.ts';
import { servedModel } from '../../test/serving/example-models.ts';
import { SIGNATURE, type FeatureRow } from './data.ts';
import { has, type Layer } from './ladder-layers.ts';

const ENDPOINT = 'light';
const USER = { name: 'ada', role: 'admin', tokenVersion: 1, disabled: false } as const;
const MAX_ROWS = 64;

const unlimited = {
  policy: { name: 'unlimited', limit: 1e9, windowMs: 60_000 },
  take: () => ({ allowed: true, remaining: 1e9, resetMs: 60_000 }),
};
const noRates: CallerRates = { address: unlimited, user: unlimited };
const noMetrics = new Proxy({}, { get: () => () => undefined }) as ServingMetrics;

// usage: ladder-app.ts <layer> <file.onnx> <folder>; prints one JSON line, port and token, and answers until it is killed.
const [top, file, folder] = process.argv.slice(2) as [Layer, string, string];
const config = loadConfig();
const log = createLogger({ service: 'ladder', level: 'error' });
const tokens = createTokens({
  secret: 'for benchmarks only, 32 characters',
  accessMinutes: 600,
  refreshDays: 1,
  now: () => new Date(),
});

if (has(top, 'trace')) await startTelemetry({ serviceName: 'ladder', config });
const fetch = has(top, 'answer') ? await productApp() : await plainApp();
const { port } = await listenHttp({ fetch, host: '127.0.0.1', port: 0, variable: 'PORT' });
console.log(JSON.stringify({ port, token: await tokens.issue('access', USER) }));

/** Without the product's route. */
async function plainApp() {
  const layout = layoutOf(SIGNATURE.inputs);
  const session = await openPackedSession(await readFile(file), layout);
  const batcher = createMicroBatcher({ session, layout, maxRows: MAX_ROWS });
  const write = has(top, 'validate') ? compileRowWriter(SIGNATURE) : writeUnchecked;
  return new Hono().post(`/api/v1/predict/${ENDPOINT}`, async (c) => {
    const row = await c.req.json<FeatureRow>();
    const scored = batcher.add((buffers, index) => write(row, buffers, index));
    return scored ? c.json({ probability: await scored }) : c.json({ error: 'the row is not valid' }, 422);
  }).fetch;

  function writeUnchecked(row: FeatureRow, { numbers, texts }: RowBuffers, index: number): boolean {
    for (let at = 0; at < layout.numbers.length; at++)
      numbers[index * layout.numbers.length + at] = row[layout.numbers[at]!] as number;
    for (let at = 0; at < layout.texts.length; at++)
      texts[index * layout.texts.length + at] = row[layout.texts[at]!] as string;
    return true;
  }
}

async function productApp() {
  const slots = createModelSlots<ServedSlot>(() => undefined);
  slots.swap(ENDPOINT, createServedSlot(await loadModel(), { endpoint: ENDPOINT, revision: 1 }));
  const { app } = createTestServing({
    slots,
    defaultSlot: () => ENDPOINT,
    isKnown: () => true,
    limits: { maxBodyBytes: config.MAX_BODY_BYTES, maxBatchBytes: config.MAX_BATCH_BYTES, maxRows: 10_000 },
    inFlight: createInFlight(config.SERVING_MAX_IN_FLIGHT),
    traceShare: has(top, 'trace') ? config.SERVING_TRACE_SAMPLE_RATIO : 0,
    authenticate: has(top, 'token') ? realAuthenticate() : () => Promise.resolve(principalOf({ user: USER.name })),
    rates: has(top, 'limit') ? realRates() : noRates,
    metrics: has(top, 'metrics') ? createServingMetrics(new Registry(), () => [slots.get(ENDPOINT)!]) : noMetrics,
    predictionLog: (has(top, 'log') ? realLog() : noPredictionLog).log,
  });
  return app.fetch;
}

async function loadModel(): Promise<LoadedModel> {
  const layout = layoutOf(SIGNATURE.inputs);
  const session = await openPackedSession(await readFile(file), layout);
  return {
    model: servedModel(1, { signature: SIGNATURE }),
    validate: compileRowValidator(SIGNATURE),
    layout,
    session,
    cost: { 1: 20, 32: 50, 256: 300 },
    lane: 'inline',
    release: session.release,
  };
}

function realAuthenticate(): Authenticate {
  const directory = { user: () => USER, apiKey: () => undefined };
  return createAuthenticator({ tokens, directory, now: () => new Date() });
}

function realRates(): CallerRates {
  const { db } = connect(config.DATABASE_URL!, { max: 1 });
  return startServingRates({ perMinute: 1e9, add: createRateLimitRepository(db).add, log }).rates;
}

function realLog() {
  const { db } = connect(config.DATABASE_URL!, { max: 4 });
  const { insert } = createPredictionRepository(db);
  return startPredictionLog({ folder, maxBytes: 2 ** 32, whenFull: 'refuse', syncMs: 1000, insert, log });
}
