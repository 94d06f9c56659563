import type { ArtifactStore } from '../lib/artifact-store.ts';
import { PlatformError } from '../lib/errors.ts';
import type { DataSource } from '../pipelines/definition.ts';
import type { SourceFormat } from './file-head.ts';
import { copyQuery } from './sql-source.ts';
import { fetchUrl, type UrlSourceDeps } from './url-source.ts';

export interface FetchedSource {
  readonly file: string;
  readonly format: SourceFormat;
}
export interface SourceDeps extends UrlSourceDeps {
  readonly getDataset: (id: string) => Promise<{ readonly sha256: string; readonly format: SourceFormat }>;
  readonly store: ArtifactStore;
  /** Allow-list: name → Postgres URL. */
  readonly databases: Readonly<Record<string, string>>;
}

/**
 * Brings a source's rows into `outFile`. Throws NOT_FOUND for a dataset or object that does not exist, INVALID for a
 * connection or URL that is not allowed, a query that fails or a file that is not of its format, TOO_LARGE, and
 * UNAVAILABLE when a server cannot be reached.
 */
export async function fetchSource(
  source: DataSource,
  deps: SourceDeps,
  outFile: string,
  signal?: AbortSignal,
): Promise<FetchedSource> {
  switch (source.kind) {
    case 'dataset': {
      const { sha256, format } = await deps.getDataset(source.dataset_version);
      await deps.store.getFile(sha256, outFile);
      return { file: outFile, format };
    }
    case 'object':
      await deps.store.getNamed(source.key, outFile);
      return { file: outFile, format: source.format };
    case 'sql':
      await copyQuery(databaseUrl(source.connection, deps.databases), source, outFile);
      return { file: outFile, format: 'csv' };
    case 'url':
      await fetchUrl(source, deps, outFile, signal);
      return { file: outFile, format: source.format };
  }
}

function databaseUrl(connection: string, databases: SourceDeps['databases']): string {
  const url = Object.hasOwn(databases, connection) ? databases[connection] : undefined;
  if (url !== undefined) return url;
  const message = `connection '${connection}' is not in the allow-list SOURCE_DATABASES`;
  throw new PlatformError('INVALID', message, {
    details: [{ path: 'source.connection', rule: 'allow_list', message }],
  });
}
