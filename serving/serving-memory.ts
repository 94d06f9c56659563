import type { ServedModel, WatchedEndpoint } from '../db/endpoints.ts';

/** What a serving process must remember to start without Postgres. */
export interface ServingMemory {
  readonly endpoints: readonly WatchedEndpoint[];
  /** The model that MODEL_URI named, by URI. */
  readonly pinned: { readonly uri: string; readonly model: ServedModel } | null;
}
export const NOTHING_SERVED: ServingMemory = { endpoints: [], pinned: null };
