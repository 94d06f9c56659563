import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../lib/artifact-store.ts';

export type ModelCache = ReturnType<typeof createModelCache>;

/** Artifacts on local disk by content hash, so that a restart needs no artifact store. */
export const createModelCache = (folder: string, store: Pick<ArtifactStore, 'getFile'>) => ({
  /** Verified bytes, from disk if they are there, else from the store. Throws what the store throws. */
  read: async (sha256: string): Promise<Uint8Array> => {
    const path = join(folder, sha256);
    const cached = await readFile(path).catch(() => null);
    if (cached && createHash('sha256').update(cached).digest('hex') === sha256) return cached;
    await mkdir(folder, { recursive: true });
    await rm(path, { force: true });
    await store.getFile(sha256, path);
    return await readFile(path);
  },

  /** Forgets all but these. */
  prune: async (keep: ReadonlySet<string>): Promise<void> => {
    const names = await readdir(folder).catch(() => []);
    const stale = names.filter((name) => /^[0-9a-f]{64}$/.test(name) && !keep.has(name));
    await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
  },
});
