import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PlatformError } from '../lib/errors.ts';
import { tooLarge } from '../lib/http/body.ts';
import { invalid } from './router.ts';

export interface Upload {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Of the Content-Length header; null for a chunked body. */
  readonly announcedBytes: number | null;
  readonly maxBytes: number;
  readonly workDirectory: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
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
  if ((upload.announcedBytes ?? 0) > upload.maxBytes) throw tooLarge(upload.maxBytes);
  const directory = await mkdtemp(join(upload.workDirectory, 'upload-'));
  try {
    const file = await writeBody(upload, join(directory, 'body'));
    if (file.bytes === 0) throw invalid([{ path: 'body', rule: 'not_empty', message: 'the file has no bytes' }]);
    return await use(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeBody(upload: Upload, path: string): Promise<ReceivedFile> {
  const { body, maxBytes, signal, announcedBytes, checkBytes } = upload;
  const hash = createHash('sha256');
  let bytes = 0;
  async function* measured(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      checkBytes(chunk);
      hash.update(chunk);
      yield chunk;
    }
  }
  const source = body ? Readable.fromWeb(body) : Readable.from([]);
  try {
    await pipeline(source, measured, createWriteStream(path, { flags: 'wx' }), { signal });
  } catch (error) {
    if (error instanceof PlatformError || isDiskError(error)) throw error;
    throw brokenOff(error);
  }
  if (announcedBytes !== null && bytes !== announcedBytes) throw brokenOff(undefined);
  return { path, bytes, sha256: hash.digest('hex') };
}

const isDiskError = (error: unknown) =>
  ['ENOSPC', 'EIO', 'EDQUOT'].includes(String((error as { code?: unknown }).code));

const brokenOff = (cause: unknown) => new PlatformError('INVALID', 'the upload broke off before its end', { cause });

const ABANDONED_MS = 24 * 3_600_000;

/** Removes what a killed process left in the middle of an upload. Another process may share the folder: a day is safe. */
export async function removeLeftovers(workDirectory: string, nowMs: number): Promise<void> {
  for (const name of await readdir(workDirectory)) {
    const path = join(workDirectory, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}
