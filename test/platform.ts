import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderStore } from '../lib/artifact-store/folder.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../lib/embedded-postgres.ts';
import { findMinio, startMinioServer, type MinioServer } from '../lib/minio-server.ts';
import { findTemporal, startTemporalServer, type TemporalServer } from '../lib/temporal-server.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';
import { findVersitygw, startVersitygw } from './versitygw.ts';

// Each start gives a server of its own, on a free port and a temporary folder that `stop` removes. Start them once per
// test file, in `beforeAll`: Postgres and Temporal take about a second each.

export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}
export async function temporaryFolder(name = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `anneal-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** An empty artifact store in a temporary folder. */
export async function temporaryStore(): Promise<{ store: ArtifactStore; folder: TemporaryFolder }> {
  const folder = await temporaryFolder('store');
  return { store: createFolderStore(folder.path), folder };
}

/** A Postgres without Anneal's tables; its `url` names an empty database. */
export const startTestPostgres = (): Promise<EmbeddedPostgres> =>
  inTemporaryFolder('postgres', (dataDir) => startEmbeddedPostgres({ dataDir, port: 0, durable: false }));

/** A Temporal server with Anneal's search attributes, namespace `default`. */
export const startTestTemporal = (): Promise<TemporalServer> =>
  inTemporaryFolder('temporal', async (folder) =>
    startTemporalServer({
      program: await findTemporal({ progress: console.error }),
      dataFile: join(folder, 'temporal.db'),
      port: 0,
      uiPort: 0,
      searchAttributes: Object.values(SEARCH_ATTRIBUTES),
    }),
  );

export const startTestMinio = (): Promise<MinioServer> =>
  inTemporaryFolder('minio', async (dataDir) =>
    startMinioServer({ program: await findMinio({ progress: console.error }), dataDir, port: 0 }),
  );

export const startTestVersitygw = (): Promise<MinioServer> =>
  inTemporaryFolder('versitygw', async (folder) =>
    startVersitygw(await findVersitygw({ progress: console.error }), folder),
  );

async function inTemporaryFolder<T extends { readonly stop: () => Promise<void> }>(
  name: string,
  start: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await temporaryFolder(name);
  const server = await start(folder.path).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const stop = async () => {
    await server.stop();
    await folder.remove();
  };
  return { ...server, stop };
}
