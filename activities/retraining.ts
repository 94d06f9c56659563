import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExtendedTable, ExtendTableInput } from '../data/extend-dataset.ts';
import type { FetchedSource } from '../data/sources.ts';
import type { HeldEndpoint } from '../db/held-endpoint.ts';
import type { DatasetVersion } from '../db/schema/datasets.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import type { AlertSignal } from '../pipelines/window-alerts.ts';
import type { DataSource, PipelineDefinition } from '../pipelines/definition.ts';
import type { RunCause } from '../workflows/messages.ts';
import type { Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';
import { writeLines } from './write-lines.ts';

/** A run that is to be started, and why. */
export interface RetrainInput {
  readonly cause: RunCause;
  readonly run_id: string;
  /** The version that has decayed. */
  readonly model: string;
  readonly version: number;
  readonly pipeline: { readonly name: string; readonly version: number };
  readonly definition: Sha256;
  readonly include_labels: boolean;
}
export type RetrainingOutcome =
  | { readonly state: 'completed'; readonly version: number | null; readonly promoted: boolean }
  | { readonly state: 'failed'; readonly reason: string };
export interface EndRetrainingInput {
  readonly endpoint: string;
  readonly sequence: number;
  readonly outcome: RetrainingOutcome;
}
export interface RetrainingDeps {
  readonly alone: <T>(endpoint: string, work: (held: HeldEndpoint) => Promise<T>) => Promise<T>;
  readonly webhook: boolean;
  readonly loadDefinition: (sha256: Sha256) => Promise<PipelineDefinition>;
  /** The dataset version that a model version was trained on, without the labelled rows that an extension added. */
  readonly trainedOn: (model: string, version: number) => Promise<DatasetVersion>;
  readonly fetchSource: (source: DataSource, directory: string, signal: AbortSignal) => Promise<FetchedSource>;
  /** The endpoint's labelled predictions as lines of JSON, features and target by name. */
  readonly labelledLines: (endpoint: string, target: string) => AsyncIterable<readonly string[]>;
  /** Runs in the thread pool. */
  readonly extendTable: (input: Omit<ExtendTableInput, 'duckdb'>, signal: AbortSignal) => Promise<ExtendedTable>;
  readonly store: Pick<ArtifactStore, 'putFile'>;
  readonly recordVersion: (version: {
    readonly datasetName: string;
    readonly sha256: Sha256;
    readonly bytes: number;
    readonly format: 'parquet';
    readonly createdBy: string;
  }) => Promise<DatasetVersion>;
  readonly recordExtension: (extension: { datasetVersionId: string; baseVersionId: string }) => Promise<void>;
  readonly noteDataset: (
    runId: string,
    dataset: { readonly datasetVersion: string; readonly labelledRows: number },
  ) => Promise<void>;
  readonly workDirectory: string;
}
export type RetrainingActivities = ReturnType<typeof createRetrainingActivities>;

export const createRetrainingActivities = (deps: RetrainingDeps) => ({
  /**
   * What the run is trained on: what the version was trained on and all labelled predictions after it, as a new dataset
   * version of the same name. Without labels it is the pipeline's own source (null) or what the version was trained on.
   */
  extendDataset: async (input: Omit<RetrainInput, 'cause' | 'pipeline'> & { endpoint: string }) => {
    const definition = await deps.loadDefinition(input.definition);
    const base = await deps.trainedOn(input.model, input.version);
    const extended = input.include_labels ? await extend(deps, input, definition, base) : null;
    if (extended) {
      await deps.noteDataset(input.run_id, extended);
      return sourceOf(extended.datasetVersion);
    }
    return definition.source ? null : sourceOf(base.id);
  },

  /** Says how a retraining ended, and raises or resolves the alert for failed ones. Answers the messages to be sent. */
  endRetraining: ({ endpoint, ...end }: EndRetrainingInput): Promise<readonly number[]> =>
    deps.alone(endpoint, (held) => endHeldRetraining(held, end, deps.webhook)),
});

/** What `endRetraining` does, for who holds the endpoint. */
export async function endHeldRetraining(
  held: HeldEndpoint,
  { sequence, outcome }: Omit<EndRetrainingInput, 'endpoint'>,
  webhook: boolean,
): Promise<readonly number[]> {
  const { model, version, cause, detail } = (await held.retrainingOf(sequence))!;
  const isFailed = outcome.state === 'failed';
  await held.endRetraining(sequence, {
    state: outcome.state,
    reason: isFailed ? outcome.reason : null,
    newVersion: isFailed ? null : outcome.version,
    promoted: !isFailed && outcome.promoted,
  });
  const message = isFailed ? `training again because of ${cause} (${detail}) failed: ${outcome.reason}` : null;
  const signals: AlertSignal[] = [{ kind: 'retraining_failed', sequence, message }];
  return await held.signal({ model, version, sequence, webhook }, signals);
}

const sourceOf = (dataset_version: string): DataSource => ({ kind: 'dataset', dataset_version });

/** null when there is no labelled row to add. */
async function extend(
  deps: RetrainingDeps,
  { endpoint }: { readonly endpoint: string },
  definition: PipelineDefinition,
  base: DatasetVersion,
) {
  const directory = await mkdtemp(join(deps.workDirectory, 'extend-dataset-'));
  try {
    return await heartbeating(async (signal) => {
      const labelled = join(directory, 'labelled.ndjson');
      const lines = deps.labelledLines(endpoint, definition.target.column);
      if ((await writeLines(lines, labelled, signal)) === 0) return null;
      const source = await deps.fetchSource(sourceOf(base.id), directory, signal);
      const parquetPath = join(directory, 'extended.parquet');
      const { added } = await deps.extendTable({ definition, ...source, labelled, parquetPath }, signal);
      if (added === 0) return null;
      const content = await deps.store.putFile(parquetPath);
      const { datasetName } = base;
      const { id } = await deps.recordVersion({
        datasetName,
        ...content,
        format: 'parquet',
        createdBy: 'drift-policy',
      });
      await deps.recordExtension({ datasetVersionId: id, baseVersionId: base.id });
      return { datasetVersion: id, labelledRows: added };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
