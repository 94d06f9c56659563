import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchedSource } from '../data/sources.ts';
import type { DatasetVersion } from '../db/schema/datasets.ts';
import type { ModelVersion } from '../db/schema/models.ts';
import type { ArtifactRef, ArtifactStore } from '../lib/artifact-store.ts';
import type { ModelSignature } from '../ml/signature.ts';
import type { DataSource } from '../pipelines/definition.ts';
import type { Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

/** A dataset version whose rows are to be scored. */
export interface BatchData {
  readonly dataset_version: string;
  readonly dataset_sha256: Sha256;
  readonly format: FetchedSource['format'];
}
/** Points to a BatchPlan. */
export interface PlannedBatch {
  readonly plan: Sha256;
  readonly rows: number;
  readonly chunks: number;
}
/** All that decides the result, as JSON in the artifact store: what another run of the same plan needs to repeat it. */
export interface BatchPlan {
  readonly model: { readonly uri: string; readonly onnx_sha256: Sha256; readonly signature: ModelSignature };
  readonly dataset: { readonly version: string; readonly sha256: Sha256 };
  readonly rows: number;
  readonly chunks: readonly { readonly sha256: Sha256; readonly rows: number }[];
}
export interface ScoredChunk {
  readonly sha256: Sha256;
  /** Rows that break a rule of the model's inputs: they have an error instead of a prediction. */
  readonly rows_failed: number;
}
/** What the last stage leaves behind. */
export interface AssembledBatch {
  readonly output: ArtifactRef;
  readonly manifest: Sha256;
}

export interface PlanBatchInput {
  readonly model: { readonly name: string; readonly version: number };
  readonly data: BatchData;
}
export interface BatchPredictionDeps {
  readonly fetchSource: (source: DataSource, directory: string, signal: AbortSignal) => Promise<FetchedSource>;
  readonly getDataset: (id: string) => Promise<DatasetVersion>;
  readonly recordDataset: (version: {
    readonly datasetName: string;
    readonly sha256: Sha256;
    readonly bytes: number;
    readonly format: FetchedSource['format'];
    readonly createdBy: string;
  }) => Promise<DatasetVersion>;
  readonly getModel: (name: string, version: number) => Promise<ModelVersion>;
  readonly store: Pick<ArtifactStore, 'get' | 'put' | 'putFile'>;
  readonly workDirectory: string;
  /** These run in the thread pool. `plan` throws DATA_CONTRACT for rows that the model cannot take. */
  readonly plan: (
    input: Omit<BatchPlan, 'rows' | 'chunks'> & BatchFormat,
    signal: AbortSignal,
  ) => Promise<PlannedBatch>;
  readonly score: (input: ChunkInput, signal: AbortSignal) => Promise<ScoredChunk>;
  readonly assemble: (input: AssembleInput, signal: AbortSignal) => Promise<AssembledBatch>;
}
export interface BatchFormat {
  readonly format: FetchedSource['format'];
}
export interface ChunkInput {
  readonly plan: Sha256;
  /** From 0. */
  readonly chunk: number;
}
export interface AssembleInput {
  readonly plan: Sha256;
  /** ScoredChunk[] as JSON. */
  readonly scored: Sha256;
}
export type BatchPredictionActivities = ReturnType<typeof createBatchPredictionActivities>;

/** Each leaves content-addressed objects only, so a repeat, also by another worker, changes nothing. */
export const createBatchPredictionActivities = (deps: BatchPredictionDeps) => ({
  /** Brings the source in as a dataset version of the model's name; a dataset version is what it is. */
  pinBatchData: async (input: {
    readonly source: DataSource;
    readonly model: string;
    readonly requested_by: string;
  }): Promise<BatchData> => {
    const { id, sha256, format } = await datasetOf(deps, input);
    return { dataset_version: id, dataset_sha256: sha256, format };
  },

  /** Checks the table against the model's inputs and cuts it into chunks. */
  planBatch: async ({ model: { name, version }, data }: PlanBatchInput): Promise<PlannedBatch> => {
    const { signature, onnxSha256 } = await deps.getModel(name, version);
    const model = { uri: `models:/${name}/${version}`, onnx_sha256: onnxSha256, signature };
    const dataset = { version: data.dataset_version, sha256: data.dataset_sha256 };
    return await heartbeating((signal) => deps.plan({ model, dataset, format: data.format }, signal));
  },

  scoreChunk: (input: ChunkInput): Promise<ScoredChunk> => heartbeating((signal) => deps.score(input, signal)),

  /** Appends to the list of scored chunks, which grows too long for a history. */
  noteScoredChunks: async (input: {
    readonly before: Sha256 | null;
    readonly chunks: readonly ScoredChunk[];
  }): Promise<Sha256> => {
    const before = input.before === null ? [] : await readJson<ScoredChunk[]>(deps.store, input.before);
    return (await deps.store.put(Buffer.from(JSON.stringify([...before, ...input.chunks])))).sha256;
  },

  /** One file of all chunks, and the manifest. */
  assembleBatch: (input: AssembleInput): Promise<AssembledBatch> =>
    heartbeating((signal) => deps.assemble(input, signal)),
});

async function datasetOf(
  deps: BatchPredictionDeps,
  { source, model, requested_by }: { source: DataSource; model: string; requested_by: string },
): Promise<DatasetVersion> {
  if (source.kind === 'dataset') return await deps.getDataset(source.dataset_version);
  const directory = await mkdtemp(join(deps.workDirectory, 'batch-source-'));
  try {
    return await heartbeating(async (signal) => {
      const { file, format } = await deps.fetchSource(source, directory, signal);
      const content = await deps.store.putFile(file);
      return await deps.recordDataset({ datasetName: model, ...content, format, createdBy: requested_by });
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const readJson = async <T>(store: Pick<ArtifactStore, 'get'>, sha256: Sha256): Promise<T> =>
  JSON.parse(Buffer.from(await store.get(sha256)).toString()) as T;
