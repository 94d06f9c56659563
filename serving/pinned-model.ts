import type { ServedModel } from '../db/endpoints.ts';
import type { LoadModel } from './model-loader.ts';
import type { ModelSlots } from './model-slots.ts';
import { isVersionUri } from './default-model.ts';
import { createServedSlot, type OnBatch, type ServedSlot } from './served-slot.ts';

/** No endpoint can have this name. */
export const PINNED_SLOT = '@pinned';

export interface PinnedDeps {
  readonly uri: string;
  readonly resolve: (uri: string) => Promise<ServedModel>;
  readonly load: LoadModel;
  readonly slots: Pick<ModelSlots<ServedSlot>, 'get' | 'swap'>;
  readonly onError: (error: unknown) => void;
  readonly onBatch?: OnBatch;
  readonly retryAfterMs?: number;
}
export type PinnedModel = ReturnType<typeof createPinnedModel>;

/** Keeps what a model URI names loaded in a slot of its own: a version once, an alias whenever it moves. */
export function createPinnedModel(deps: PinnedDeps) {
  const { uri, resolve, load, slots, onError, onBatch, retryAfterMs = 10_000 } = deps;
  let busy = false;
  let failedAt = -Infinity;
  let named: ServedModel | null = null;
  const loadInto = async (model: ServedModel) => {
    named = model;
    const served = slots.get(PINNED_SLOT)?.model;
    if (served?.version === model.version && served.modelName === model.modelName) return;
    slots.swap(PINNED_SLOT, createServedSlot(await load(model), { endpoint: null, revision: null, onBatch }));
  };

  return {
    /** What the URI named last, loaded or not. */
    named: () => named,
    /** Loads what the URI names now; `known` is what it named before, for when the database is away. Never throws. */
    refresh: async (known?: ServedModel): Promise<void> => {
      const settled = isVersionUri(uri) && slots.get(PINNED_SLOT);
      if (busy || settled || performance.now() - failedAt < retryAfterMs) return;
      busy = true;
      try {
        await loadInto(known ?? (await resolve(uri)));
      } catch (error) {
        failedAt = performance.now();
        onError(error);
      } finally {
        busy = false;
      }
    },
  };
}
