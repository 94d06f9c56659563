import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createBatchPredictionActivities } from '../activities/batch-predictions.ts';
import { createDatasetActivities } from '../activities/dataset.ts';
import { createDeploymentActivities } from '../activities/deployment.ts';
import { createEvaluationActivities } from '../activities/evaluation.ts';
import { createPlanningActivities } from '../activities/planning.ts';
import { createPreprocessingActivities } from '../activities/preprocessing.ts';
import { createProjectionActivities } from '../activities/projection.ts';
import { createRegistryActivities } from '../activities/registry.ts';
import { createFileDoor } from '../data/file-door.ts';
import { fetchSource, type SourceDeps } from '../data/sources.ts';
import { connect } from '../db/connect.ts';
import { createDatasetRepository } from '../db/datasets.ts';
import { createEndpointRepository } from '../db/endpoints.ts';
import { createModelRepository } from '../db/models.ts';
import { createRunRepository } from '../db/runs.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { required, type Config } from '../lib/config.ts';
import { orNull } from '../lib/errors.ts';
import { createOutgoingFetch } from '../lib/http/outgoing.ts';
import type { ThreadPool } from '../lib/thread-pool.ts';
import { currentTraceparent } from '../lib/tracing.ts';
import type { DataSource } from '../pipelines/definition.ts';
import { readDefinition } from './stored-definition.ts';

export interface RoleDeps {
  readonly config: Config;
  readonly store: ArtifactStore;
  readonly pool: ThreadPool;
  readonly codeCommit: string;
}

/** Everything but training: reading, splitting, evaluating, registering, deploying, scoring files. */
export async function openPipelineRole({ config, store, pool, codeCommit }: RoleDeps) {
  const database = connect(required(config, 'DATABASE_URL'));
  const datasets = createDatasetRepository(database.db);
  const models = createModelRepository(database.db);
  const runs = createRunRepository(database.db);
  const endpoints = createEndpointRepository(database.db);
  const workDirectory = join(config.ANNEAL_HOME, 'work');
  await mkdir(workDirectory, { recursive: true });

  const sources: SourceDeps = {
    store,
    getDataset: datasets.getVersion,
    databases: config.SOURCE_DATABASES,
    fetch: createOutgoingFetch({ hosts: config.OUTGOING_HOSTS, privateAddresses: config.OUTGOING_PRIVATE_ADDRESSES }),
    fileDoor: createFileDoor(),
    maxBytes: config.MAX_UPLOAD_BYTES,
  };
  const fetchInto = (source: DataSource, directory: string, signal: AbortSignal) =>
    fetchSource(source, sources, join(directory, 'source'), signal);
  const loadDefinition = (sha256: string) => readDefinition(store, sha256);
  const production = (name: string) => orNull(models.getByAlias(name, 'production'));
  /** DuckDB and ONNX Runtime are native: see RunOptions.onAbort. */
  const run =
    (task: string) =>
    <Input, Output>(input: Input, signal: AbortSignal): Promise<Output> =>
      pool.run(task, input, { signal, onAbort: 'abandon' });

  const activities = {
    ...createPlanningActivities({ loadDefinition }),
    ...createProjectionActivities({ project: async (input) => void (await runs.project(input)) }),
    ...createBatchPredictionActivities({
      store,
      workDirectory,
      fetchSource: fetchInto,
      getDataset: datasets.getVersion,
      recordDataset: datasets.recordVersion,
      getModel: models.getVersion,
      plan: run('planBatch'),
      score: run('scoreBatchChunk'),
      assemble: run('assembleBatch'),
    }),
    ...createDatasetActivities({
      loadDefinition,
      store,
      workDirectory,
      fetchSource: fetchInto,
      makeTypedTable: run('typedTable'),
      recordVersion: datasets.recordVersion,
      getVersion: datasets.getVersion,
      recordTable: datasets.recordTable,
    }),
    ...createPreprocessingActivities({ prepare: run('prepare') }),
    ...createEvaluationActivities({ productionVersion: production, evaluate: run('evaluate') }),
    ...createRegistryActivities({
      exportModel: run('exportModel'),
      registerVersion: models.registerVersion,
      codeCommit,
    }),
    ...createDeploymentActivities({
      ...endpoints,
      productionVersion: async (name) => (await production(name))?.version ?? null,
      traceparent: () => currentTraceparent() ?? null,
    }),
  };
  return { activities, close: database.close };
}
