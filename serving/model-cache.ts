import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { refOfFile } from '../lib/artifact-store/verified.ts';

// Longer than a large batch waits for the thread that scores it.
const KEPT_MS = 60_000;

export type ModelCache = ReturnType<typeof createModelCache>;

/** Artifacts on local disk by content hash, so that a restart needs no artifact store. */
export function createModelCache(folder: string, store: Pick<ArtifactStore, 'getFile'>) {
  /** Path of the verified file: the one on disk, or else the store's. Throws what the store throws. */
  const file = async (sha256: string): Promise<string> => {
    const path = join(folder, sha256);
    const cached = await refOfFile(path).catch(() => null);
    if (cached?.sha256 === sha256) return path;
    await mkdir(folder, { recursive: true });
    await rm(path, { force: true });
    await store.getFile(sha256, path);
    return path;
  };
  const staleSinceMs = new Map<string, number>();
  return {
    file,
    read: async (sha256: string): Promise<Uint8Array> => await readFile(await file(sha256)),
    /** Forgets all but these, once they have been needless for a while: what began before may still open them. */
    prune: async (keep: ReadonlySet<string>, nowMs = performance.now()): Promise<void> => {
      for (const sha256 of keep) staleSinceMs.delete(sha256);
      for (const name of await readdir(folder).catch(() => [])) {
        if (!/^[0-9a-f]{64}$/.test(name) || keep.has(name)) continue;
        const since = staleSinceMs.get(name) ?? nowMs;
        staleSinceMs.set(name, since);
        if (nowMs - since < KEPT_MS) continue;
        await rm(join(folder, name), { force: true });
        staleSinceMs.delete(name);
      }
    },
  };
}
