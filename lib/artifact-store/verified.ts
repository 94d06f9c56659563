import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArtifactRef } from '../artifact-store.ts';
import { PlatformError } from '../errors.ts';

export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Hash and size of a file, streamed. */
export async function refOfFile(path: string): Promise<ArtifactRef> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Throws UNAVAILABLE unless the content found has the hash asked for. */
export function verify(found: string, wanted: string): void {
  if (found === wanted) return;
  throw new PlatformError('UNAVAILABLE', `artifact ${wanted} is damaged: its content has the hash ${found}`);
}

/** Refuses what is not a lower-case hex SHA-256, before it becomes part of a path. */
export function assertSha256(sha256: string): void {
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new PlatformError('INVALID', 'an artifact is named by 64 lower-case hex digits');
}

/** Refuses keys that would leave the store's folder or reach into the content-addressed part. */
export function assertNamedKey(key: string): void {
  const parts = key.split('/');
  if (
    parts[0] === 'sha256' ||
    key.includes('\\') ||
    key.includes('\0') ||
    parts.some((p) => ['', '.', '..'].includes(p))
  ) {
    throw new PlatformError('INVALID', `object key '${key}' must be a relative path outside sha256/`);
  }
}

/** Streams into `path` through a temporary neighbour: the file appears only when complete and, with `sha256`, verified. */
export async function writeVerified(source: Readable, path: string, sha256?: string): Promise<ArtifactRef> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    await pipeline(source, createWriteStream(temporary, { flags: 'wx', flush: true }));
    const ref = await refOfFile(temporary);
    if (sha256 !== undefined) verify(ref.sha256, sha256);
    await rename(temporary, path);
    return ref;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
