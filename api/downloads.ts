import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from 'hono';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { unbroken } from '../lib/http/unbroken.ts';
import type { Logger } from '../lib/log.ts';
import type { ApiEnv } from './router.ts';

export interface DownloadDeps {
  readonly store: Pick<ArtifactStore, 'getFile'>;
  readonly workDirectory: string;
  readonly log: Pick<Logger, 'error'>;
}
export interface Download {
  readonly sha256: string;
  /** Where it is known beforehand. */
  readonly bytes?: number;
  readonly filename: string;
  readonly contentType: string;
}

/** Answers a verified artifact as a file to save. */
export async function sendArtifact(c: Context<ApiEnv>, { store, workDirectory, log }: DownloadDeps, file: Download) {
  const { sha256, bytes, filename, contentType } = file;
  c.set('auditDetail', { sha256 });
  c.header('content-type', contentType);
  if (bytes !== undefined) c.header('content-length', String(bytes));
  c.header('content-disposition', `attachment; filename="${filename}"`);
  c.header('etag', `"${sha256}"`);
  if (c.req.raw.method === 'HEAD') return c.body(null, 200);
  const failed = (err: unknown) => log.error({ err }, 'a download broke off');
  return c.body(unbroken(c, await openArtifact(store, sha256, workDirectory), failed), 200);
}

/** A verified artifact as a stream. Its file has no name any more, so nothing is left when the reader goes away. */
async function openArtifact(store: Pick<ArtifactStore, 'getFile'>, sha256: string, workDirectory: string) {
  const directory = await mkdtemp(join(workDirectory, 'download-'));
  try {
    const path = join(directory, 'artifact');
    await store.getFile(sha256, path);
    const file = await open(path);
    return file.createReadStream() as AsyncIterable<Uint8Array>;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
