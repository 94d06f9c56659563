import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { refOfFile } from '../lib/artifact-store/verified.ts';

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
  return {
    file,
    read: async (sha256: string): Promise<Uint8Array> => await readFile(await file(sha256)),
    /** Forgets all but these. */
    prune: async (keep: ReadonlySet<string>): Promise<void> => {
      const names = await readdir(folder).catch(() => []);
      const stale = names.filter((name) => /^[0-9a-f]{64}$/.test(name) && !keep.has(name));
      await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
    },
  };
}
