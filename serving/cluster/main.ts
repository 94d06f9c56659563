import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Counter } from 'prom-client';
import { type Config, loadConfig } from '../../lib/config.ts';
import { PlatformError } from '../../lib/errors.ts';
import { createLogger } from '../../lib/log.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { createShutdown, exitOnSignal } from '../../lib/shutdown.ts';
import { openDoor } from './door.ts';
import { startProcesses } from './processes.ts';
import { createSharedMetrics } from './shared-metrics.ts';

const ORDERLY_END_MS = 2_000; // of processes whose own limit has passed

/** The data plane: `serving/main.ts`, or as many of it as `--processes` or SERVING_PROCESSES says, on one port. */
const config = loadConfig({ ...process.env, ...processesAsked() });
if (config.SERVING_PROCESSES === 1) await import('../main.ts');
else await main(config);

function processesAsked(): { SERVING_PROCESSES?: string } {
  try {
    const { processes } = parseArgs({ options: { processes: { type: 'string' } } }).values;
    return processes === undefined ? {} : { SERVING_PROCESSES: processes };
  } catch (error) {
    throw new PlatformError('INVALID', (error as Error).message, { cause: error });
  }
}

/** Accepts connections, keeps the processes running, and knows no models, no database and no HTTP. */
async function main({ SERVING_PROCESSES: count, ...config }: Config): Promise<void> {
  const log = createLogger({ service: 'serving', level: config.LOG_LEVEL });
  const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000 + ORDERLY_END_MS;
  const shutdown = createShutdown({ log, graceMs: graceMs + ORDERLY_END_MS });
  exitOnSignal(shutdown);
  const registry = createMetrics('serving');
  const restarts = new Counter({
    name: 'anneal_serving_process_restarts_total',
    help: 'Serving processes that were started again',
    registers: [registry],
  });
  try {
    const door = await openDoor({ host: config.SERVING_HOST, port: config.SERVING_PORT, variable: 'SERVING_PORT' });
    const processes = startProcesses({
      ...{ count, door, graceMs, log },
      main: join(import.meta.dirname, '..', 'main.ts'),
      env: { ...process.env, SERVING_PORT: String(door.port) },
      metrics: createSharedMetrics(registry),
      onRestart: () => restarts.inc(),
    });
    shutdown.defer('serving processes', () =>
      processes.then(
        ({ stop }) => stop(),
        () => undefined, // then they are stopped
      ),
    );
    shutdown.defer('listening', door.close);
    await processes;
    log.info({ port: door.port, processes: count }, 'all serving processes are ready for requests');
  } catch (error) {
    await shutdown.run('start failed');
    throw error;
  }
}
