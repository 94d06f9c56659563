import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { EndpointRepository, ServedModel, WatchedEndpoint } from '../db/endpoints.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import type { Logger } from '../lib/log.ts';
import { createServingApp, type ServingDeps } from './app.ts';
import { endpointOfModel, productionModelOf } from './default-model.ts';
import { createEndpointReconciler } from './endpoint-reconciler.ts';
import { startEndpointWatcher, type WatcherDeps } from './endpoint-watcher.ts';
import type { ServedSlot } from './loaded-model.ts';
import { createModelCache } from './model-cache.ts';
import { createModelLoader } from './model-loader.ts';
import { createModelSlots } from './model-slots.ts';
import { openOnnxModel } from './onnx-model.ts';
import { createPinnedModel, PINNED_SLOT } from './pinned-model.ts';
import { readinessOf } from './readiness.ts';
import { createRevisionReports } from './revision-reports.ts';
import { createMemoryFile, EMPTY_MEMORY, type ServingMemory } from './serving-memory.ts';
import { createServingMetrics } from './serving-metrics.ts';

const DATABASE_WAIT_MS = 2_000;

export interface ServingNodeDeps extends Pick<WatcherDeps, 'node' | 'listen' | 'heartbeatMs' | 'pollMs'> {
  readonly repository: WatcherDeps['repository'] & Pick<EndpointRepository, 'reportRevision'>;
  readonly resolveModel: (uri: string) => Promise<ServedModel>;
  readonly store: Pick<ArtifactStore, 'getFile'>;
  /** Keeps models and the last known endpoints between starts; belongs to this node alone. */
  readonly folder: string;
  readonly modelUri: string;
  readonly registry: Registry;
  readonly log: Logger;
  readonly limits: ServingDeps['limits'];
  readonly enableBoom: boolean;
}
export type ServingNode = Awaited<ReturnType<typeof startServingNode>>;

/** A serving process without its socket: loads and swaps what the endpoints say, and answers through `app`. */
export async function startServingNode(deps: ServingNodeDeps) {
  const { node, repository, modelUri, log, folder } = deps;
  const onReleaseError = (err: unknown) => log.error({ err }, 'releasing a model failed');
  const slots = createModelSlots<ServedSlot>(onReleaseError);
  const cache = createModelCache(folder, deps.store);
  const load = createModelLoader({ cache, openSession: openOnnxModel });
  const memoryFile = createMemoryFile(join(folder, 'endpoints.json'));
  const reports = createRevisionReports(({ endpoint, revision, state, detail }) =>
    repository.reportRevision(node, endpoint, revision, state, detail),
  );
  const reconciler = createEndpointReconciler({
    slots,
    load,
    onReleaseError,
    report: (endpoint, revision, state, detail) => {
      log[state === 'failed' ? 'error' : 'info']({ endpoint, revision, state, detail }, 'endpoint revision');
      reports.add(endpoint, revision, state, detail);
      // The watcher sends it later if the database is away now.
      reports.flush().catch(() => undefined);
    },
  });

  const followed = productionModelOf(modelUri);
  const onPinnedError = (err: unknown) => log.error({ err, model_uri: modelUri }, 'the pinned model does not load');
  const pinned =
    followed === null
      ? createPinnedModel({ uri: modelUri, resolve: deps.resolveModel, load, slots, onError: onPinnedError })
      : null;
  const defaultSlot = () => (followed === null ? PINNED_SLOT : endpointOfModel(followed, reconciler.endpoints()));

  const remembered = await memoryFile.load();
  let saved = '';
  const remember = async (endpoints: readonly WatchedEndpoint[]) => {
    const model = slots.get(PINNED_SLOT)?.model;
    const memory: ServingMemory = {
      endpoints: endpoints.map((endpoint) => ({ ...endpoint, next: null })),
      pinned: model ? { uri: modelUri, model } : remembered.pinned,
    };
    const text = JSON.stringify(memory);
    if (text === saved) return;
    await memoryFile.save(memory);
    await cache.prune(artifactsOf(memory, endpoints));
    saved = text;
  };

  let draining = false;
  const watcher = startEndpointWatcher({
    ...deps,
    reports,
    onState: async (endpoints) => {
      reconciler.update(endpoints);
      await pinned?.refresh();
      await remember(endpoints).catch((err: unknown) => log.warn({ err }, 'the disk cache cannot be written'));
    },
  });
  const startFromMemory = async () => {
    await Promise.race([watcher.firstTry, delay(DATABASE_WAIT_MS, undefined, { ref: false })]);
    if (watcher.reachable()) return;
    const { endpoints, pinned: known } = remembered ?? EMPTY_MEMORY;
    if (reconciler.endpoints().length === 0) reconciler.update(endpoints);
    if (known?.uri === modelUri) await pinned?.refresh(known.model);
  };
  await startFromMemory();

  const metrics = createServingMetrics(deps.registry, () => slots.names().map((name) => slots.get(name)!));
  const isKnown = (name: string) =>
    reconciler.endpoints().some((endpoint) => endpoint.name === name) || watcher.reachable() === null;
  const notReady = () =>
    draining ? 'draining' : readinessOf(reconciler.endpoints(), slots, pinned ? PINNED_SLOT : null);
  const app = createServingApp({
    slots,
    defaultSlot,
    isKnown,
    modelUri,
    notReady,
    metrics,
    log,
    limits: deps.limits,
    enableBoom: deps.enableBoom,
  });

  return {
    app,
    notReady,
    /** When nothing is being loaded. */
    settled: reconciler.settled,
    /** From now on the process says that it wants no more requests; it still answers them. */
    drain: (): void => void (draining = true),
    /** Leaves the handshake and releases every model when its last request is answered. */
    stop: async (): Promise<void> => {
      draining = true;
      await watcher.stop();
      await reconciler.settled();
      await reconciler.close();
      for (const name of slots.names()) slots.remove(name);
    },
  };
}

function artifactsOf({ pinned }: ServingMemory, endpoints: readonly WatchedEndpoint[]): Set<string> {
  const watched = endpoints.flatMap(({ current, next }) => [current?.model, next?.model]);
  const models = [...watched, pinned?.model].filter((model) => model !== undefined);
  return new Set(models.flatMap((model) => [model.onnxSha256, model.goldenRowsSha256]));
}
