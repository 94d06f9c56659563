import type { WatchedEndpoint } from '../db/endpoints.ts';
import type { ServedSlot } from './served-slot.ts';
import type { ModelSlots } from './model-slots.ts';

/** Why this process should get no requests, in words; null when everything that should be served is. */
export function readinessOf(
  endpoints: readonly WatchedEndpoint[],
  slots: Pick<ModelSlots<ServedSlot>, 'get'>,
  pinnedSlot: string | null,
): string | null {
  if (pinnedSlot !== null && !slots.get(pinnedSlot)) return 'the model of MODEL_URI is not loaded';
  const active = endpoints.filter(({ current }) => current !== null).map(({ name }) => name);
  // Nothing to serve is not "everything is served".
  if (active.length === 0 && pinnedSlot === null) return 'no endpoint has a model yet';
  const waiting = active.filter((name) => !slots.get(name));
  return waiting.length > 0 ? `no model is loaded for endpoint ${waiting.join(', ')}` : null;
}
