import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { PlatformError } from './errors.ts';

export interface SaveRules {
  readonly maxBytes: number;
  /** The error for more. */
  readonly tooLarge: (maxBytes: number) => PlatformError;
  /** Throws on bytes that are not taken; the rest is not read then. */
  readonly checkBytes: (chunk: Uint8Array) => void;
  readonly signal: AbortSignal;
}

/** Writes a stream to a new file in constant memory. Throws what the rules throw, and the errors of the stream and the disk. */
export async function saveStream(source: Readable, path: string, rules: SaveRules) {
  const { maxBytes, tooLarge, checkBytes, signal } = rules;
  const hash = createHash('sha256');
  let bytes = 0;
  async function* checked(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      checkBytes(chunk);
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(source, checked, createWriteStream(path, { flags: 'wx' }), { signal });
  return { bytes, sha256: hash.digest('hex') };
}

/** Is the disk full or broken? Then the stream is not to blame. */
export const isDiskError = (error: unknown) =>
  ['ENOSPC', 'EIO', 'EDQUOT'].includes(String((error as { code?: unknown }).code));
