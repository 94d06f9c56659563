import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCallers } from '../auth/callers.ts';
import { ACCESS_CHANNEL, type AccessState, createAccessRepository } from '../db/access.ts';
import { createApiKeyRepository } from '../db/api-keys.ts';
import { connect } from '../db/connect.ts';
import { ENDPOINTS_CHANNEL } from '../db/endpoint-revisions.ts';
import { createEndpointRepository, toServedModel } from '../db/endpoints.ts';
import { createModelRepository } from '../db/models.ts';
import { createPredictionRepository } from '../db/predictions.ts';
import { createRateLimitRepository } from '../db/rate-limits.ts';
import { openArtifactStore } from '../lib/artifact-store/open.ts';
import { loadConfig, required } from '../lib/config.ts';
import { serveHandedOver } from '../lib/http/handed-over.ts';
import { listenHttp } from '../lib/http/listen.ts';
import { createKeptJson } from '../lib/kept-json.ts';
import { createLogger } from '../lib/log.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createShutdown, exitOnSignal } from '../lib/shutdown.ts';
import { startTelemetry } from '../lib/telemetry.ts';
import { createThreadPool } from '../lib/thread-pool.ts';
import { joinCluster, takePlace } from './cluster/member.ts';
import { chooseModelUri } from './default-model.ts';
import { createExplainer } from './explain/explainer.ts';
import { createInFlight } from './in-flight.ts';
import { createModelCache } from './model-cache.ts';
import { startServingNode } from './node.ts';
import { noPredictionLog, startPredictionLog } from './prediction-log/start.ts';
import { claimFolder, orphanedFolders } from './process-folder.ts';
import { startServingRates } from './rates.ts';
import { createBatchThread } from './scoring/batch-thread.ts';
import { createModelOpening } from './scoring/model-opening.ts';
import { publishState } from './state-metrics.ts';

const MAX_ROWS = 10_000;
const IDLE_GRACE_MS = 1_000;
const MODELS_WAIT_MS = 30_000;

/** `node serving/main.ts` is one serving process: on a port of its own, or one of those that serving/cluster/main.ts starts. */
const config = loadConfig();
const place = takePlace(process.env);
const log = createLogger({ service: 'serving', level: config.LOG_LEVEL }).child(
  place.alone ? {} : { process: place.index },
);
const shutdown = createShutdown({ log, graceMs: config.SHUTDOWN_GRACE_SECONDS * 1000 });
exitOnSignal(shutdown);
try {
  await main();
} catch (error) {
  // Leave no node behind that deployments would wait for.
  await shutdown.run('start failed');
  throw error;
}

async function main(): Promise<void> {
  // Processes that share a home do not share what they remember.
  const folders = join(config.ANNEAL_HOME, 'serving-cache', String(config.SERVING_PORT));
  const folder = join(folders, String(place.index));
  await claimFolder(folder, 'serving');
  const telemetry = await startTelemetry({ serviceName: 'serving', config });
  shutdown.defer('telemetry', telemetry.shutdown);
  const secret = required(config, 'JWT_SECRET_KEY');
  const database = connect(required(config, 'DATABASE_URL'), { max: 4 });
  shutdown.defer('Postgres', database.close);

  const models = createModelRepository(database.db);
  const modelUri = chooseModelUri({
    environment: config.MODEL_URI,
    configFile: await readConfigFile(config.SERVING_CONFIG),
    modelName: config.MODEL_NAME,
  });
  const callers = await startCallers({
    ...{ secret, config, log },
    now: () => new Date(),
    load: createAccessRepository(database.db).load,
    listen: (onChange) => database.sql.listen(ACCESS_CHANNEL, onChange),
    memory: createKeptJson<AccessState>(join(folder, 'access.json')),
    noteUses: createApiKeyRepository(database.db).noteUses,
  });
  shutdown.defer('callers', callers.stop);
  const limits = startServingRates({
    perMinute: config.RATE_LIMIT_PREDICT_PER_MINUTE,
    add: createRateLimitRepository(database.db).add,
    log,
  });
  shutdown.defer('rates', limits.stop);
  const registry = createMetrics('serving');
  const cluster = place.alone ? null : joinCluster(registry);
  const opening = createModelOpening({ timeoutMs: config.SERVING_LOAD_TIMEOUT_SECONDS * 1000 });
  shutdown.defer('rows thread', opening.close);
  const store = openArtifactStore(config);
  const explainer = createExplainer({
    openThread: () => createThreadPool(new URL('explain/thread.ts', import.meta.url), 1, { folder }),
    fetch: createModelCache(folder, store).file,
  });
  shutdown.defer('explainer', explainer.close);
  const predictions = config.PREDICTION_LOG_ENABLED
    ? startPredictionLog({
        folder: spoolOf(folder),
        orphans: place.index === 0 ? (await orphanedFolders(folders, place.count)).map(spoolOf) : [],
        maxBytes: config.PREDICTION_LOG_MAX_BYTES,
        whenFull: config.PREDICTION_LOG_WHEN_FULL,
        syncMs: config.PREDICTION_LOG_SYNC_MS,
        insert: createPredictionRepository(database.db).insert,
        log,
      })
    : noPredictionLog;
  shutdown.defer('prediction log', predictions.stop);
  const batchThread = createBatchThread({
    ...{ folder, maxRows: MAX_ROWS, logLevel: config.LOG_LEVEL, spool: predictions.spool },
  });
  shutdown.defer('batch thread', batchThread.close);
  const inFlight = createInFlight(config.SERVING_MAX_IN_FLIGHT);
  const serving = await startServingNode({
    explain: explainer.explain,
    node: `serving-${randomUUID().slice(0, 8)}-${process.pid}`, // shown to callers: no host in it
    repository: createEndpointRepository(database.db),
    resolveModel: async (uri) => toServedModel(await models.resolve(uri)),
    listen: (onChange) => database.sql.listen(ENDPOINTS_CHANNEL, onChange),
    store,
    folder,
    modelUri,
    opening,
    registry,
    scrape: cluster?.scrape ?? (() => registry.getMetricsAsJSON()),
    log,
    rates: limits.rates,
    predictionLog: predictions.log,
    batchThread,
    inFlight,
    traceShare: config.SERVING_TRACE_SAMPLE_RATIO,
    trustedProxies: config.TRUSTED_PROXIES,
    corsOrigins: config.CORS_ORIGINS,
    limits: { maxBodyBytes: config.MAX_BODY_BYTES, maxBatchBytes: config.MAX_BATCH_BYTES, maxRows: MAX_ROWS },
    authenticate: callers.authenticate,
    enableBoom: config.ENABLE_BOOM,
  });
  shutdown.defer('serving node', serving.stop);
  publishState(registry, {
    served: serving.served,
    queues: {
      requests: inFlight.depth,
      rows: () => serving.served().reduce((sum, { waiting }) => sum + waiting(), 0),
      batches: batchThread.depth,
    },
    predictionLog: predictions.state,
  });
  // The other processes answer meanwhile.
  if (cluster) await Promise.race([serving.settled(), delay(MODELS_WAIT_MS, undefined, { ref: false })]);
  const { SERVING_HOST: host, SERVING_PORT: port } = config;
  const answering = { fetch: serving.app.fetch, host, idleGraceMs: IDLE_GRACE_MS };
  const http = cluster
    ? { port, ...serveHandedOver({ ...answering, connections: cluster.connections }) }
    : await listenHttp({ ...answering, port, variable: 'SERVING_PORT' });
  shutdown.defer('HTTP server', http.close);
  shutdown.defer('readiness', serving.drain);
  log.info({ port: http.port, model_uri: modelUri }, 'serving is ready for requests');
}

function spoolOf(folder: string): string {
  return join(folder, 'spool');
}

async function readConfigFile(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
