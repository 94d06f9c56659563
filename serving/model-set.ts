import { join } from 'node:path';
import type { ServedModel, WatchedEndpoint } from '../db/endpoints.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { createKeptJson } from '../lib/kept-json.ts';
import type { Logger } from '../lib/log.ts';
import { endpointOfModel, productionModelOf } from './default-model.ts';
import { createEndpointReconciler, type ReconcilerDeps } from './endpoint-reconciler.ts';
import type { ServedSlot } from './served-slot.ts';
import { createModelCache } from './model-cache.ts';
import { createModelLoader, type LoaderDeps } from './model-loader.ts';
import { createModelSlots } from './model-slots.ts';
import { createPinnedModel, PINNED_SLOT } from './pinned-model.ts';
import { readinessOf } from './readiness.ts';
import type { ModelOpening } from './scoring/model-opening.ts';
import { NOTHING_SERVED, type ServingMemory } from './serving-memory.ts';

export interface ModelSetDeps {
  /** `models:/<name>@production` follows the endpoint of that model; any other URI gets a slot of its own. */
  readonly modelUri: string;
  readonly resolveModel: (uri: string) => Promise<ServedModel>;
  readonly store: Pick<ArtifactStore, 'getFile'>;
  /** Keeps models and the last known endpoints between starts; belongs to this process alone. */
  readonly folder: string;
  readonly opening: LoaderDeps['opening'] & Pick<ModelOpening, 'stopTrials'>;
  readonly report: ReconcilerDeps['report'];
  readonly onBatch?: ReconcilerDeps['onBatch'];
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

/** Every model this process serves: those of the endpoints, and the one that MODEL_URI pins. */
export function createModelSet(deps: ModelSetDeps) {
  const { modelUri, resolveModel, store, folder, opening, report, onBatch, log } = deps;
  const onReleaseError = (err: unknown) => log.error({ err }, 'releasing a model failed');
  const onError = (err: unknown) => log.error({ err, model_uri: modelUri }, 'the pinned model does not load');
  const slots = createModelSlots<ServedSlot>(onReleaseError);
  const cache = createModelCache(folder, store);
  const load = createModelLoader({ cache, opening });
  const memory = createKeptJson<ServingMemory>(join(folder, 'endpoints.json'));
  const remembered = async () => (await memory.load()) ?? NOTHING_SERVED;
  const reconciler = createEndpointReconciler({ slots, load, report, onReleaseError, onBatch });
  const followed = productionModelOf(modelUri);
  const pinned =
    followed === null
      ? createPinnedModel({ uri: modelUri, resolve: resolveModel, load, slots, onError, onBatch })
      : null;

  let refreshing: Promise<void> | undefined;

  const remember = async (endpoints: readonly WatchedEndpoint[]) => {
    const served = slots.get(PINNED_SLOT)?.model;
    const known = served ? { uri: modelUri, model: served } : (await remembered()).pinned;
    const current = endpoints.map((endpoint) => ({ ...endpoint, next: null }));
    const changed = await memory.save({ endpoints: current, pinned: known });
    if (changed) await cache.prune(artifactsOf(endpoints, [known?.model, pinned?.named()]));
  };

  return {
    slots,
    /** What the database says: starts loading, and remembers it for a start without the database. */
    update: async (endpoints: readonly WatchedEndpoint[]): Promise<void> => {
      reconciler.update(endpoints);
      refreshing = pinned?.refresh();
      await remember(endpoints).catch((err: unknown) => log.warn({ err }, 'the disk cache cannot be written'));
    },
    /** Starts loading what was served last time. */
    recall: async (): Promise<void> => {
      const { endpoints, pinned: known } = await remembered();
      if (reconciler.endpoints().length === 0) reconciler.update(endpoints);
      if (known?.uri === modelUri) await pinned?.refresh(known.model);
    },
    knows: (endpoint: string): boolean => reconciler.endpoints().some(({ name }) => name === endpoint),
    /** Slot of the model that answers when no endpoint is named; null while there is none. */
    defaultSlot: (): string | null =>
      followed === null ? PINNED_SLOT : endpointOfModel(followed, reconciler.endpoints()),
    notReady: (): string | null => readinessOf(reconciler.endpoints(), slots, pinned && PINNED_SLOT),
    /** When nothing is being loaded. */
    settled: async (): Promise<void> => {
      await Promise.all([reconciler.settled(), refreshing]);
    },
    /** Releases every model when its last request is answered. */
    close: async (): Promise<void> => {
      opening.stopTrials();
      await reconciler.settled();
      await reconciler.close();
      for (const name of slots.names()) slots.remove(name);
    },
  };
}

// The list that a process of an earlier release kept on disk says nothing of explainers.
const artifactsOfModel = ({ onnxSha256, goldenRowsSha256, explainerSha256 }: ServedModel) =>
  explainerSha256 ? [onnxSha256, goldenRowsSha256, explainerSha256] : [onnxSha256, goldenRowsSha256];

function artifactsOf(
  endpoints: readonly WatchedEndpoint[],
  others: readonly (ServedModel | null | undefined)[],
): Set<string> {
  const watched = endpoints.flatMap(({ current, next }) => [current?.model, next?.model]);
  const models = [...watched, ...others].filter((model) => model !== undefined && model !== null);
  return new Set(models.flatMap(artifactsOfModel));
}
