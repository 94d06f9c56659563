import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { startCallers } from '../auth/callers.ts';
import { ensureFirstAdmin } from '../auth/first-admin.ts';
import { createSessions } from '../auth/sessions.ts';
import { createLoginGuard, LOGIN_BACKOFF } from '../auth/login-guard.ts';
import { ACCESS_CHANNEL, createAccessRepository } from '../db/access.ts';
import { createFileDoor } from '../data/file-door.ts';
import { createLabelFileReader } from '../data/label-files.ts';
import { createAuditLog } from '../db/audit-log.ts';
import { createAlertRepository } from '../db/alerts.ts';
import { createApiKeyRepository } from '../db/api-keys.ts';
import { connect } from '../db/connect.ts';
import { createDatasetRepository } from '../db/datasets.ts';
import { createDriftReportRepository } from '../db/drift-reports.ts';
import { createEndpointRepository } from '../db/endpoints.ts';
import { createIdempotencyKeyRepository } from '../db/idempotency-keys.ts';
import { createLabelRepository } from '../db/labels.ts';
import { migrate } from '../db/migrate.ts';
import { createModelRepository } from '../db/models.ts';
import { createPerformanceRepository } from '../db/performance.ts';
import { createPipelineRepository } from '../db/pipelines.ts';
import { createPredictionRepository } from '../db/predictions.ts';
import { createRateLimitRepository } from '../db/rate-limits.ts';
import { createRealisedMetricsRepository } from '../db/realised-metrics.ts';
import { createRefreshTokenRepository } from '../db/refresh-tokens.ts';
import { createRetrainingRepository } from '../db/retrainings.ts';
import { createRunRepository } from '../db/runs.ts';
import { createUserRepository } from '../db/users.ts';
import { openArtifactStore } from '../lib/artifact-store/open.ts';
import { loadConfig, required, type Config } from '../lib/config.ts';
import { listenHttp } from '../lib/http/listen.ts';
import { createLimitedProcesses } from '../lib/limited-process.ts';
import { createLogger } from '../lib/log.ts';
import { createMetrics } from '../lib/metrics.ts';
import { repeat } from '../lib/repeat.ts';
import { createShutdown, exitOnSignal } from '../lib/shutdown.ts';
import { startTelemetry } from '../lib/telemetry.ts';
import { createThreadPool } from '../lib/thread-pool.ts';
import { connectTemporal } from '../lib/temporal-connection.ts';
import { makeTemporalPlugin } from '../lib/temporal-tracing.ts';
import { READY_PIPELINES } from '../pipelines/ready.ts';
import { createApp } from './app.ts';
import { createJobs } from './jobs.ts';
import { createModelCheck } from './model-check.ts';
import { saveReadyPipelines } from './pipeline-saves.ts';
import { startApiRates } from './rates.ts';
import { createSchedules } from './schedules.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { createTemporalJobs } from './temporal-jobs.ts';
import { removeLeftovers } from './uploads.ts';
import { createWindowSums } from './window-sums.ts';

const EVENTS = { pollMs: 400, keepAliveMs: 15_000 } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MODEL_CHECK = new URL('../workers/check-model.ts', import.meta.url);
const ADD_UP_WINDOWS = new URL('../workers/add-up-windows.ts', import.meta.url);
const MODEL_CHECKS = { concurrent: 2, waiting: 8 } as const;
const KEEP_IDEMPOTENCY_KEYS_MS = DAY_MS;

/** `node api/main.ts` is one API process. */
await main(loadConfig());

async function main(config: Config): Promise<void> {
  const log = createLogger({ service: 'api', level: config.LOG_LEVEL });
  const shutdown = createShutdown({ log, graceMs: config.SHUTDOWN_GRACE_SECONDS * 1000 });
  exitOnSignal(shutdown);
  const telemetry = await startTelemetry({ serviceName: 'api', config, makeTemporalPlugin });
  shutdown.defer('telemetry', telemetry.shutdown);
  const databaseUrl = required(config, 'DATABASE_URL');
  const secret = required(config, 'JWT_SECRET_KEY');
  await migrate(databaseUrl);
  const database = connect(databaseUrl);
  shutdown.defer('Postgres', database.close);
  const client = await connectTemporal({
    address: required(config, 'TEMPORAL_ADDRESS'),
    namespace: config.TEMPORAL_NAMESPACE,
    plugins: telemetry.temporalPlugins,
  });
  shutdown.defer('Temporal', () => client.connection.close());
  await registerSearchAttributes(client, log);

  const { db } = database;
  const now = () => new Date();
  const users = createUserRepository(db);
  await ensureFirstAdmin(users, {
    name: config.ADMIN_USERNAME,
    password: config.ADMIN_PASSWORD,
    email: config.ADMIN_EMAIL,
  });
  const refreshTokens = createRefreshTokenRepository(db);
  const apiKeys = createApiKeyRepository(db);
  const callers = await startCallers({
    ...{ secret, config, now, log },
    load: createAccessRepository(db).load,
    listen: (onChange) => database.sql.listen(ACCESS_CHANNEL, onChange),
    noteUses: apiKeys.noteUses,
  });
  shutdown.defer('callers', callers.stop);
  const counters = createRateLimitRepository(db);
  const limits = startApiRates({
    perMinute: { auth: config.RATE_LIMIT_AUTH_PER_MINUTE, general: config.RATE_LIMIT_GENERAL_PER_MINUTE },
    counters,
    log,
  });
  shutdown.defer('rates', limits.stop);
  const store = openArtifactStore(config);
  const workDirectory = join(config.ANNEAL_HOME, 'api');
  await mkdir(workDirectory, { recursive: true });
  await removeLeftovers(workDirectory, Date.now());
  const stopping = new AbortController();
  const runs = createRunRepository(db);
  const pipelines = createPipelineRepository(db);
  const datasets = createDatasetRepository(db);
  const idempotencyKeys = createIdempotencyKeyRepository(db);
  const sourceConnections = Object.keys(config.SOURCE_DATABASES);
  const engine = createTemporalJobs(client);
  const outgoing = { hosts: config.OUTGOING_HOSTS, privateAddresses: config.OUTGOING_PRIVATE_ADDRESSES };
  const saves = { pipelines, datasets, store, sourceConnections, outgoing, schedules: createSchedules(client) };

  await saveReadyPipelines(
    saves,
    Object.values(READY_PIPELINES).map((ready) => ready.definition),
  );
  const pruning = repeat(async () => {
    const keysBefore = new Date(Date.now() - KEEP_IDEMPOTENCY_KEYS_MS);
    await Promise.all([refreshTokens.prune(now()), idempotencyKeys.prune(keysBefore)]).catch((err: unknown) =>
      log.warn({ err }, 'expired tokens and Idempotency-Keys stay for now'),
    );
  }, DAY_MS);
  shutdown.defer('pruning', pruning.stop);
  const predictions = createPredictionRepository(db);
  const labels = createLabelRepository(db);
  const driftReports = createDriftReportRepository(db);
  const alerts = createAlertRepository(db);
  const retrainings = createRetrainingRepository(db);
  const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);
  const retention = repeat(async () => {
    await predictions.dropBefore(daysAgo(config.PREDICTION_RETENTION_DAYS)).then(
      (days) => days.length > 0 && log.info({ days }, 'old predictions are deleted'),
      (err: unknown) => log.warn({ err }, 'old predictions stay for now'),
    );
    await labels
      .dropBefore(daysAgo(config.PREDICTION_RETENTION_DAYS))
      .catch((err: unknown) => log.warn({ err }, 'labels of old predictions stay for now'));
    await driftReports.removeBefore(daysAgo(config.REPORT_RETENTION_DAYS)).then(
      (reports) => reports > 0 && log.info({ reports }, 'old drift reports are deleted'),
      (err: unknown) => log.warn({ err }, 'old drift reports stay for now'),
    );
    const reportsBefore = daysAgo(config.REPORT_RETENTION_DAYS);
    await Promise.all([alerts.dropBefore(reportsBefore), retrainings.dropSkippedBefore(reportsBefore)]).catch(
      (err: unknown) => log.warn({ err }, 'old alerts and decisions about retraining stay for now'),
    );
  }, HOUR_MS);
  shutdown.defer('retention', retention.stop);
  const windowSums = createWindowSums(() => createThreadPool(ADD_UP_WINDOWS, 1, { config }));
  shutdown.defer('window sums', windowSums.close);
  const app = createApp({
    ...saves,
    jobs: createJobs({ ...saves, engine, runs, log, now }),
    runs,
    models: createModelRepository(db),
    endpoints: createEndpointRepository(db),
    predictions,
    labels,
    readLabelFile: createLabelFileReader(),
    performance: createPerformanceRepository(db),
    realisedMetrics: createRealisedMetricsRepository(db),
    driftReports,
    addUpWindows: windowSums.addUp,
    alerts,
    retrainings,
    idempotencyKeys,
    auditLog: createAuditLog(db),
    log,
    now,
    registry: createMetrics('api'),
    authenticate: callers.authenticate,
    auth: {
      sessions: createSessions({ users, refreshTokens, tokens: callers.tokens, now }),
      users,
      apiKeys,
      tokens: callers.tokens,
      loginGuard: createLoginGuard(counters.loginAttempts(LOGIN_BACKOFF)),
      refreshAccess: callers.refresh,
      now,
    },
    checks: {
      postgres: () => db.execute(sql`select 1`),
      temporal: () => client.workflowService.getSystemInfo({}),
      artifacts: () => store.check(),
    },
    events: { ...EVENTS, stopping: stopping.signal },
    workDirectory,
    maxBodyBytes: config.MAX_BODY_BYTES,
    maxBatchBytes: config.MAX_BATCH_BYTES,
    rates: limits.rates,
    trustedProxies: config.TRUSTED_PROXIES,
    corsOrigins: config.CORS_ORIGINS,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    maxModelBytes: config.MAX_MODEL_BYTES,
    checkModel: createModelCheck(createLimitedProcesses(MODEL_CHECKS), MODEL_CHECK),
    fileDoor: createFileDoor(),
  });
  const http = await listenHttp({
    fetch: app.fetch,
    host: config.API_HOST,
    port: config.API_PORT,
    variable: 'API_PORT',
    requestTimeoutMs: 0, // an upload takes as long as its line needs
  });
  shutdown.defer('HTTP server', http.close);
  shutdown.defer('event streams', () => stopping.abort());
  log.info({ port: http.port }, 'api is ready for requests');
}
