import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetVersion } from '../db/schema/datasets.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { PlatformError } from '../lib/errors.ts';
import type { TypedTable } from '../data/typed-table.ts';
import type { FetchedSource } from '../data/sources.ts';
import type { DataSource, PipelineDefinition } from '../pipelines/definition.ts';
import type { MadeDataset, Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface MakeDatasetInput {
  readonly pipeline: string;
  readonly definition: Sha256;
  readonly source: DataSource | null;
  readonly requested_by: string;
}
export interface DatasetDeps {
  readonly loadDefinition: (sha256: Sha256) => Promise<PipelineDefinition>;
  readonly store: ArtifactStore;
  readonly fetchSource: (source: DataSource, directory: string, signal: AbortSignal) => Promise<FetchedSource>;
  /** Runs in the thread pool. Writes the Parquet only when the contract holds; else throws DATA_CONTRACT. */
  readonly makeTypedTable: (
    input: { definition: PipelineDefinition; file: string; format: FetchedSource['format']; parquetPath: string },
    signal: AbortSignal,
  ) => Promise<TypedTable>;
  readonly recordVersion: (version: {
    datasetName: string;
    sha256: Sha256;
    bytes: number;
    format: FetchedSource['format'];
    createdBy: string;
  }) => Promise<DatasetVersion>;
  readonly getVersion: (id: string) => Promise<DatasetVersion>;
  readonly recordTable: (table: {
    datasetVersionId: string;
    definitionSha256: Sha256;
    parquetSha256: Sha256;
    rows: number;
    profile: TypedTable['profile'];
  }) => Promise<unknown>;
  readonly workDirectory: string;
}
export type DatasetActivities = ReturnType<typeof createDatasetActivities>;

export const createDatasetActivities = (deps: DatasetDeps) => ({
  /** Source → typed Parquet under its dataset version. A repeat finds the same content and records nothing twice. */
  makeDataset: async (input: MakeDatasetInput): Promise<MadeDataset> => {
    const definition = await deps.loadDefinition(input.definition);
    const source = input.source ?? definition.source;
    if (!source)
      throw new PlatformError('INVALID', `pipeline '${input.pipeline}' names no source and the run gave none`);
    const directory = await mkdtemp(join(deps.workDirectory, 'make-dataset-'));
    try {
      return await heartbeating((signal) =>
        readSource(deps, { ...input, definition, definitionSha256: input.definition, source, directory, signal }),
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
});

interface ReadInput {
  readonly pipeline: string;
  readonly requested_by: string;
  readonly definition: PipelineDefinition;
  readonly definitionSha256: Sha256;
  readonly source: DataSource;
  readonly directory: string;
  readonly signal: AbortSignal;
}

async function readSource(deps: DatasetDeps, input: ReadInput): Promise<MadeDataset> {
  const fetched = await deps.fetchSource(input.source, input.directory, input.signal);
  const parquetPath = join(input.directory, 'table.parquet');
  const { definition, signal } = input;
  const table = await deps.makeTypedTable({ definition, ...fetched, parquetPath }, signal);
  // The version is recorded only now: a source that breaks the contract leaves nothing behind.
  const version = await sourceVersion(deps, input, fetched);
  const parquet = await deps.store.putFile(parquetPath);
  await deps.recordTable({
    datasetVersionId: version.id,
    definitionSha256: input.definitionSha256,
    parquetSha256: parquet.sha256,
    rows: table.rows,
    profile: table.profile,
  });
  return { dataset_version: version.id, dataset_sha256: version.sha256, parquet: parquet.sha256, rows: table.rows };
}

async function sourceVersion(deps: DatasetDeps, input: ReadInput, fetched: FetchedSource): Promise<DatasetVersion> {
  if (input.source.kind === 'dataset') return await deps.getVersion(input.source.dataset_version);
  const content = await deps.store.putFile(fetched.file);
  const { format } = fetched;
  return await deps.recordVersion({ datasetName: input.pipeline, ...content, format, createdBy: input.requested_by });
}
