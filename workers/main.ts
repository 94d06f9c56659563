import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Registry } from 'prom-client';
import { connect } from '../db/connect.ts';
import { createPlatformStateRepository } from '../db/platform-state.ts';
import { openArtifactStore } from '../lib/artifact-store/open.ts';
import { codeCommit } from '../lib/code-commit.ts';
import { loadConfig, required, type Config } from '../lib/config.ts';
import { startHealthServer } from '../lib/health-server.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createShutdown, exitOnSignal, type Shutdown } from '../lib/shutdown.ts';
import { startTelemetry } from '../lib/telemetry.ts';
import { connectTemporal } from '../lib/temporal-connection.ts';
import { temporalMetrics } from '../lib/temporal-metrics.ts';
import { makeTemporalPlugin } from '../lib/temporal-tracing.ts';
import { connectTemporalWorker } from '../lib/temporal-worker-connection.ts';
import { createThreadPool, type ThreadPool } from '../lib/thread-pool.ts';
import { QUEUES, type WorkerRole } from '../workflows/messages.ts';
import { activityPlugin } from './activity-interceptors.ts';
import { startPlatformMetrics } from './metrics/platform-metrics.ts';
import { readTaskQueues } from './metrics/task-queues.ts';
import { openMonitoringRole } from './monitoring-role.ts';
import { openPipelineRole } from './pipeline-role.ts';
import type { TaskSettings } from './tasks/store.ts';
import { temporalLog } from './temporal-log.ts';
import { createTrainingRole } from './training-role.ts';

/** `node workers/main.ts <role>` is one worker process on its role's task queue. */
const role = process.argv[2] as WorkerRole;
if (!(role in QUEUES)) throw new Error(`name a worker role: ${Object.keys(QUEUES).join(', ')}`);
await main(role, loadConfig());

async function main(role: WorkerRole, config: Config): Promise<void> {
  const service = `worker-${role}`;
  const log = createLogger({ service, level: config.LOG_LEVEL });
  const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000;
  const shutdown = createShutdown({ log, graceMs: graceMs + 5000 });
  exitOnSignal(shutdown);
  const telemetry = await startTelemetry({ serviceName: service, config, makeTemporalPlugin });
  shutdown.defer('telemetry', telemetry.shutdown);

  const temporal = await temporalMetrics(service);
  const logger = new DefaultLogger('INFO', temporalLog(log));
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: temporal.telemetryOptions });
  const address = required(config, 'TEMPORAL_ADDRESS');
  const connection = await connectTemporalWorker({ address });
  shutdown.defer('Temporal connection', () => connection.close());
  const client = await connectTemporal({
    address,
    namespace: config.TEMPORAL_NAMESPACE,
    plugins: telemetry.temporalPlugins,
  });
  shutdown.defer('Temporal client', () => client.connection.close());
  const { listen, concurrency } = settingsOf(role, config);
  const pool = createThreadPool(new URL(`tasks/${role}.ts`, import.meta.url), concurrency, {
    config,
  } satisfies TaskSettings);
  shutdown.defer('thread pool', () => pool.close());

  const metrics = createMetrics(service);
  const worker = await Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: QUEUES[role],
    workflowsPath: role === 'pipeline' ? new URL('../workflows/index.ts', import.meta.url).pathname : undefined,
    activities: await activitiesOf(role, { config, pool, client, shutdown, log }),
    maxConcurrentActivityTaskExecutions: concurrency,
    // Heartbeats carry cancellations back: the default holds them for most of the heartbeat timeout.
    maxHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: graceMs,
    plugins: [...telemetry.temporalPlugins, activityPlugin({ metrics, log })],
  });
  if (role === 'monitoring') watchPlatform({ config, client, shutdown, metrics, log });
  const running = worker.run();
  shutdown.defer('worker', async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  const health = await startHealthServer({
    ...listen,
    metrics: async () => `${await metrics.metrics()}${await temporal.text()}`,
    checks: { worker: () => requireRunning(worker), temporal: () => client.workflowService.getSystemInfo({}) },
  });
  shutdown.defer('health server', health.stop);
  log.info({ task_queue: QUEUES[role], concurrency, health_port: health.port }, 'worker is ready');
  await running;
  await shutdown.run('worker ended');
}

interface RoleContext {
  readonly config: Config;
  readonly pool: ThreadPool;
  readonly client: Client;
  readonly shutdown: Shutdown;
  readonly log: Logger;
}

async function activitiesOf(role: WorkerRole, { config, pool, client, shutdown, log }: RoleContext): Promise<object> {
  const store = openArtifactStore(config);
  switch (role) {
    case 'training':
      return createTrainingRole({ store, pool, client });
    case 'monitoring': {
      const opened = await openMonitoringRole({ config, store, pool, client, log });
      shutdown.defer('Postgres and schedules', opened.close);
      return opened.activities;
    }
    case 'pipeline': {
      const opened = await openPipelineRole({ config, store, pool, client, codeCommit: await codeCommit() });
      shutdown.defer('Postgres', opened.close);
      return opened.activities;
    }
  }
}

/** Metrics of the platform as a whole; on a connection of their own, for they must not wait while windows are read. */
function watchPlatform(
  deps: Pick<RoleContext, 'config' | 'client' | 'shutdown'> & { readonly metrics: Registry; readonly log: Logger },
): void {
  const { config, client, shutdown, metrics, log } = deps;
  const database = connect(required(config, 'DATABASE_URL'), { max: 1 });
  shutdown.defer('Postgres for metrics', database.close);
  const watching = startPlatformMetrics({
    registry: metrics,
    repository: createPlatformStateRepository(database.db),
    readTaskQueues: () => readTaskQueues(client),
    log,
  });
  shutdown.defer('metrics of the platform', watching.stop);
}

function settingsOf(role: WorkerRole, config: Config) {
  const name = role.toUpperCase() as Uppercase<WorkerRole>;
  const variable = `WORKER_${name}_METRICS_PORT` as const;
  const listen = { host: config.WORKER_METRICS_HOST, port: config[variable], variable };
  return { listen, concurrency: config[`WORKER_${name}_CONCURRENCY`] };
}

function requireRunning(worker: Worker): void {
  if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState()}`);
}
