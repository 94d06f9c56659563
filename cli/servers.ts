import { join } from 'node:path';
import { openS3Store } from '../lib/artifact-store/open.ts';
import type { Config } from '../lib/config.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../lib/embedded-postgres.ts';
import { ensureSearchAttributes } from '../lib/temporal-search-attributes.ts';
import { findTemporal, startTemporalServer, type TemporalServer } from '../lib/temporal-server.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';
import { keepRunning } from '../lib/keep-running.ts';

export interface Servers {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalUi: string | null;
  /** Process ids of the embedded servers that run now. */
  readonly pids: () => Record<string, number>;
}
export interface ServerOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
  /** Gets what stops each server that was started. */
  readonly defer: (name: string, close: () => Promise<void>) => void;
}

/** The servers Anneal stands on: those the configuration names, and embedded ones for the rest. */
export async function startServers(options: ServerOptions): Promise<Servers> {
  const starting = [startDatabase(options), startTemporal(options), ensureBucket(options)] as const;
  await Promise.allSettled(starting); // when one fails, the others must have come so far that they can be stopped
  const [database, temporal] = await Promise.all(starting);
  const pids = () => ({ ...database.pids(), ...temporal.pids() });
  return { databaseUrl: database.url, temporalAddress: temporal.address, temporalUi: temporal.ui, pids };
}

async function startDatabase({ config, report, defer }: ServerOptions) {
  if (config.DATABASE_URL) return { url: config.DATABASE_URL, pids: () => ({}) };
  const dataDir = join(config.ANNEAL_HOME, 'postgres');
  const kept = await keepRunning(
    (previous?: EmbeddedPostgres) => startEmbeddedPostgres({ dataDir, port: previous?.port ?? config.POSTGRES_PORT }),
    { name: 'Postgres', report },
  );
  defer('Postgres', kept.stop);
  return { url: kept.current().url, pids: () => ({ postgres: kept.current().pid }) };
}

async function startTemporal({ config, env, report, defer }: ServerOptions) {
  const searchAttributes = Object.values(SEARCH_ATTRIBUTES);
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = config;
  if (address) {
    await ensureSearchAttributes({ address, namespace, searchAttributes });
    return { address, ui: config.TEMPORAL_UI_URL ?? null, pids: () => ({}) };
  }
  const program = await findTemporal({ env, progress: report });
  const dataFile = join(config.ANNEAL_HOME, 'temporal', 'temporal.db');
  const namespaces = namespace === 'default' ? [] : [namespace];
  const kept = await keepRunning(
    (previous?: TemporalServer) =>
      startTemporalServer({
        ...{ program, dataFile, searchAttributes, namespaces },
        port: previous?.port ?? config.TEMPORAL_PORT,
        uiPort: previous?.uiPort ?? config.TEMPORAL_UI_PORT,
      }),
    { name: 'Temporal', report },
  );
  defer('Temporal', kept.stop);
  const { address: own, uiUrl } = kept.current();
  return { address: own, ui: config.TEMPORAL_UI_URL ?? uiUrl, pids: () => ({ temporal: kept.current().pid }) };
}

async function ensureBucket({ config }: ServerOptions): Promise<void> {
  if (config.S3_ENDPOINT) await openS3Store(config).ensureBucket();
}
