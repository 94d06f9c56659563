import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { PlatformError } from '../lib/errors.ts';
import { tooLarge } from '../lib/http/body.ts';
import { isDiskError, saveStream } from '../lib/save-stream.ts';
import { invalid } from './router.ts';

export interface Upload {
  /** Its signal is aborted when the client goes away. */
  readonly request: Request;
  readonly maxBytes: number;
  readonly workDirectory: string;
  /** Throws on bytes that are not taken; the rest of the body is not read then. */
  readonly checkBytes: (chunk: Uint8Array) => void;
}
export interface ReceivedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Streams a body to a file, which exists only while `use` runs: an upload that is too large (TOO_LARGE), empty or broken
 * off (INVALID) leaves nothing.
 */
export async function receiveUpload<T>(upload: Upload, use: (file: ReceivedFile) => Promise<T>): Promise<T> {
  if ((announcedBytes(upload.request) ?? 0) > upload.maxBytes) throw tooLarge(upload.maxBytes);
  const directory = await mkdtemp(join(upload.workDirectory, 'upload-'));
  try {
    const file = await writeBody(upload, join(directory, 'body'));
    if (file.bytes === 0) throw invalid([{ path: 'body', rule: 'not_empty', message: 'the file has no bytes' }]);
    return await use(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeBody({ request, maxBytes, checkBytes }: Upload, path: string): Promise<ReceivedFile> {
  const { body, signal } = request;
  const source = body ? Readable.fromWeb(body as ReadableStream<Uint8Array>) : Readable.from([]);
  const saved = await saveStream(source, path, { maxBytes, tooLarge, checkBytes, signal }).catch((error: unknown) => {
    throw error instanceof PlatformError || isDiskError(error) ? error : brokenOff(error);
  });
  const announced = announcedBytes(request);
  if (announced !== null && saved.bytes !== announced) throw brokenOff(undefined);
  return { path, ...saved };
}

/** Null for a chunked body. */
function announcedBytes({ headers }: Request): number | null {
  const length = headers.get('content-length');
  return length === null ? null : Number(length);
}

const brokenOff = (cause: unknown) => new PlatformError('INVALID', 'the upload broke off before its end', { cause });

/** Stores a received file. Throws UNAVAILABLE when it is not what was received any more. */
export async function storeUpload(store: Pick<ArtifactStore, 'putFile'>, { path, sha256 }: ReceivedFile) {
  const stored = await store.putFile(path);
  if (stored.sha256 !== sha256) throw new PlatformError('UNAVAILABLE', 'the disk changed the uploaded bytes');
  return stored;
}

const ABANDONED_MS = 24 * 3_600_000;

/** Removes what a killed process left in the middle of an upload. Another process may share the folder: a day is safe. */
export async function removeLeftovers(workDirectory: string, nowMs: number): Promise<void> {
  for (const name of await readdir(workDirectory)) {
    const path = join(workDirectory, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}
