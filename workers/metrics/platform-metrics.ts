import type { Registry } from 'prom-client';
import type { PlatformStateRepository } from '../../db/platform-state.ts';
import type { Logger } from '../../lib/log.ts';
import { publishDrift } from './drift-metrics.ts';
import { publishEndpoints } from './endpoint-metrics.ts';
import { keepReading } from './kept-reading.ts';
import { publishPerformance } from './performance-metrics.ts';
import { publishRuns } from './run-metrics.ts';
import { show } from './show.ts';
import { publishTaskQueues } from './task-queue-metrics.ts';
import type { TaskQueueState } from './task-queues.ts';
import { createWindowCounts } from './window-counts.ts';

export interface PlatformMetricsDeps {
  readonly registry: Registry;
  readonly repository: PlatformStateRepository;
  /** Throws when Temporal cannot be asked. */
  readonly readTaskQueues: () => Promise<readonly TaskQueueState[]>;
  readonly log: Logger;
  readonly everyMs?: number;
}

const EVERY_MS = 5_000;

/**
 * What the platform as a whole looks like, read every few seconds, so that a scrape asks nobody. What cannot be read has
 * no series until it can: an old value would look like a good one. Each worker that has these shows the same values.
 */
export function startPlatformMetrics(deps: PlatformMetricsDeps): { readonly stop: () => Promise<void> } {
  const { registry, repository, log, everyMs = EVERY_MS } = deps;
  const windows = createWindowCounts(registry);
  const readPostgres = async () => {
    const { endpoints, drift, realised, runs } = repository;
    const state = {
      endpoints: await endpoints(),
      drift: await drift(),
      realised: await realised(),
      runs: await runs(),
    };
    await windows.update(
      state.endpoints.map(({ endpoint }) => endpoint),
      repository.windowsSince,
    );
    return state;
  };
  const postgres = keepReading('Postgres', readPostgres, everyMs, log);
  const temporal = keepReading('Temporal', deps.readTaskQueues, everyMs, log);
  const state = () => postgres.current() ?? { endpoints: [], drift: [], realised: [], runs: null };

  publishEndpoints(registry, () => state().endpoints);
  publishDrift(registry, () => state().drift);
  publishPerformance(registry, { realised: () => state().realised, drift: () => state().drift });
  publishRuns(registry, () => state().runs);
  publishTaskQueues(registry, () => temporal.current() ?? []);
  show(
    registry,
    'anneal_state_readable',
    'Can this worker read what its other metrics show: 1 or 0',
    ['source'],
    () => [
      [{ source: 'postgres' }, Number(postgres.current() !== null)],
      [{ source: 'temporal' }, Number(temporal.current() !== null)],
    ],
  );
  return { stop: async () => void (await Promise.all([postgres.stop(), temporal.stop()])) };
}
