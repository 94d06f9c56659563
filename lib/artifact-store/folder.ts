import { randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, copyFile, link, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { artifactKey, type ArtifactRef, type ArtifactStore } from '../artifact-store.ts';
import { notFound, PlatformError } from '../errors.ts';
import { assertNamedKey, assertSha256, refOfFile, sha256Of, syncFolder, verify, writeVerified } from './verified.ts';

/** After this nobody is still writing it. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Artifacts under one folder of the local file system. Several processes may use it at once. */
export function createFolderStore(folder: string): ArtifactStore {
  const incoming = join(folder, 'incoming');
  const pathOf = (sha256: string) => {
    assertSha256(sha256);
    return join(folder, artifactKey(sha256));
  };
  const has = (sha256: string) => exists(pathOf(sha256));
  let swept: Promise<void> | undefined;

  /** `fill` writes the content to a path in this file system; the object then appears whole or not at all. */
  async function add(fill: (path: string) => Promise<ArtifactRef>): Promise<ArtifactRef> {
    await mkdir(incoming, { recursive: true });
    await (swept ??= removeAbandoned(incoming));
    const temporary = join(incoming, randomUUID());
    try {
      const ref = await fill(temporary);
      if (!(await has(ref.sha256))) await publish(temporary, pathOf(ref.sha256));
      return ref;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  return {
    put: (bytes) =>
      guarded(() =>
        add(async (path) => {
          await writeFile(path, bytes, { flush: true });
          return { sha256: sha256Of(bytes), bytes: bytes.byteLength };
        }),
      ),
    putFile: (source) =>
      guarded(() =>
        add(async (path) => {
          await copyFile(source, path, constants.COPYFILE_FICLONE);
          await syncFile(path);
          return await refOfFile(path);
        }),
      ),
    get: (sha256) =>
      guarded(async () => {
        const bytes = await readFile(pathOf(sha256));
        verify(sha256Of(bytes), sha256);
        return bytes;
      }, sha256),
    getFile: (sha256, path) => guarded(() => copyOut(pathOf(sha256), path, sha256), sha256),
    has: (sha256) => guarded(() => has(sha256)),
    getNamed: (key, path) => guarded(() => (assertNamedKey(key), copyOut(join(folder, key), path)), key),
    check: () =>
      guarded(async () => {
        await mkdir(incoming, { recursive: true });
        await access(incoming, constants.W_OK);
      }),
  };

  async function guarded<T>(work: () => Promise<T>, name?: string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      if (name !== undefined && isMissing(error, folder)) throw notFound('artifact', name);
      // The message names paths: that stays in the cause.
      const code = (error as NodeJS.ErrnoException).code ?? 'no code';
      throw new PlatformError('UNAVAILABLE', `the artifact folder cannot be used (${code})`, { cause: error });
    }
  }
}

/** What killed writers left behind. */
async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const written = await stat(path).catch(() => null); // its writer may be done by now
    if (written && Date.now() - written.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

async function publish(temporary: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await link(temporary, path); // fails if another process was first: then its content is ours
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await syncFolder(dirname(path));
}

async function copyOut(source: string, path: string, sha256?: string): Promise<void> {
  await access(source, constants.R_OK); // a missing object must not look like a broken stream
  await writeVerified(createReadStream(source), path, sha256);
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

function isMissing(error: unknown, folder: string): boolean {
  const { code, path } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' && path?.startsWith(folder) === true;
}
