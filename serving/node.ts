import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { EndpointRepository } from '../db/endpoints.ts';
import type { Logger } from '../lib/log.ts';
import { createServingApp, type ServingDeps } from './app.ts';
import { startEndpointWatcher, type WatcherDeps } from './endpoint-watcher.ts';
import { createModelSet, type ModelSetDeps } from './model-set.ts';
import { createRevisionReports } from './revision-reports.ts';
import type { ServedSlot } from './served-slot.ts';
import { createServingMetrics } from './serving-metrics.ts';

const DATABASE_WAIT_MS = 2_000;

export interface ServingNodeDeps
  extends
    Pick<WatcherDeps, 'node' | 'listen' | 'heartbeatMs' | 'pollMs'>,
    Pick<ModelSetDeps, 'modelUri' | 'resolveModel' | 'store' | 'folder' | 'opening'>,
    Pick<
      ServingDeps,
      | 'limits'
      | 'rates'
      | 'predictionLog'
      | 'batchThread'
      | 'inFlight'
      | 'traceShare'
      | 'scrape'
      | 'explain'
      | 'trustedProxies'
      | 'corsOrigins'
      | 'enableBoom'
      | 'authenticate'
    > {
  readonly repository: WatcherDeps['repository'] & Pick<EndpointRepository, 'reportRevision'>;
  readonly registry: Registry;
  readonly log: Logger;
}
export type ServingNode = Awaited<ReturnType<typeof startServingNode>>;

/**
 * A serving process without its socket: loads and swaps what the endpoints say, and answers through `app`. Returns when
 * loading has begun, with what the database says or, if it does not answer, with what was served last time.
 */
export async function startServingNode(deps: ServingNodeDeps) {
  const { node, repository, log } = deps;
  let draining = false;
  let stopped = false;
  let heard = false;
  const reports = createRevisionReports(({ endpoint, revision, state, detail }) =>
    repository.reportRevision(node, endpoint, revision, state, detail),
  );
  const served = (): ServedSlot[] => slots.names().map((name) => slots.get(name)!);
  const metrics = createServingMetrics(deps.registry, served);
  const models = createModelSet({
    ...deps,
    onBatch: metrics.batch,
    report: (endpoint, revision, state, detail) => {
      if (stopped) return; // what loads now is given up
      log[state === 'failed' ? 'error' : 'info']({ endpoint, revision, state, detail }, 'endpoint revision');
      reports.add(endpoint, revision, state, detail);
      // The watcher sends it later if the database is away now.
      reports.flush().catch(() => undefined);
    },
  });
  const { slots, defaultSlot } = models;
  const watcher = startEndpointWatcher({
    ...deps,
    reports,
    onState: (endpoints) => {
      heard = true;
      return models.update(endpoints);
    },
  });
  await Promise.race([watcher.firstTry, delay(DATABASE_WAIT_MS, undefined, { ref: false })]);
  if (!heard) await models.recall();

  const notReady = () => (draining ? 'draining' : models.notReady());
  const app = createServingApp({
    ...deps,
    slots,
    defaultSlot,
    notReady,
    isKnown: (endpoint) => !heard || models.knows(endpoint),
    metrics,
  });

  return {
    app,
    served,
    notReady,
    settled: models.settled,
    /** From now on the process says that it wants no more requests; it still answers them. */
    drain: (): void => void (draining = true),
    /** Leaves the handshake and releases the models. */
    stop: async (): Promise<void> => {
      draining = true;
      stopped = true;
      await watcher.stop();
      await models.close();
    },
  };
}
