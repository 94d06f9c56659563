import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServedModel, WatchedEndpoint } from '../db/endpoints.ts';

/** What a serving process must remember to start without Postgres. */
export interface ServingMemory {
  readonly endpoints: readonly WatchedEndpoint[];
  /** The model that MODEL_URI named, by URI. */
  readonly pinned: { readonly uri: string; readonly model: ServedModel } | null;
}
const EMPTY: ServingMemory = { endpoints: [], pinned: null };

export function createMemoryFile(path: string) {
  let saved = '';
  return {
    /** Empty when nothing was saved, or it cannot be read. */
    load: async (): Promise<ServingMemory> => {
      try {
        return JSON.parse(await readFile(path, 'utf8')) as ServingMemory;
      } catch {
        return EMPTY;
      }
    },
    /** Replaces the file in one step, so that a crash leaves the old one. False when there was nothing new. */
    save: async (memory: ServingMemory): Promise<boolean> => {
      const text = JSON.stringify(memory);
      if (text === saved) return false;
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${process.pid}.tmp`;
      await writeFile(draft, text);
      await rename(draft, path);
      saved = text;
      return true;
    },
  };
}
