import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { createAlertActivities } from '../activities/alerts.ts';
import { createBatchPredictionActivities } from '../activities/batch-predictions.ts';
import { createDatasetActivities } from '../activities/dataset.ts';
import { createDeploymentActivities } from '../activities/deployment.ts';
import { createEvaluationActivities } from '../activities/evaluation.ts';
import { createPlanningActivities } from '../activities/planning.ts';
import { createPreprocessingActivities } from '../activities/preprocessing.ts';
import { createProjectionActivities } from '../activities/projection.ts';
import { createRegistryActivities } from '../activities/registry.ts';
import { createResponseActivities } from '../activities/respond.ts';
import { createRetrainingActivities } from '../activities/retraining.ts';
import { createFileDoor } from '../data/file-door.ts';
import { fetchSource, type SourceDeps } from '../data/sources.ts';
import { createAlertRepository } from '../db/alerts.ts';
import { connect } from '../db/connect.ts';
import { createDatasetExtensionRepository } from '../db/dataset-extensions.ts';
import { createDatasetRepository } from '../db/datasets.ts';
import { createEndpointRepository } from '../db/endpoints.ts';
import { createModelRepository } from '../db/models.ts';
import { createPipelineRepository } from '../db/pipelines.ts';
import { createRetrainingRepository } from '../db/retrainings.ts';
import { createRunRepository } from '../db/runs.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { required, type Config } from '../lib/config.ts';
import { orNull, PlatformError } from '../lib/errors.ts';
import { createOutgoingFetch } from '../lib/http/outgoing.ts';
import type { ThreadPool } from '../lib/thread-pool.ts';
import { currentTraceparent } from '../lib/tracing.ts';
import { createWebhook } from '../lib/webhook.ts';
import type { DataSource } from '../pipelines/definition.ts';
import { openRetrainings } from './open-retrainings.ts';
import { readDefinition } from './stored-definition.ts';

export interface RoleDeps {
  readonly config: Config;
  readonly store: ArtifactStore;
  readonly pool: ThreadPool;
  readonly client: Client;
  readonly codeCommit: string;
}

/** Everything but training: reading, splitting, evaluating, registering, deploying, scoring files. */
export async function openPipelineRole({ config, store, pool, client, codeCommit }: RoleDeps) {
  const database = connect(required(config, 'DATABASE_URL'));
  const datasets = createDatasetRepository(database.db);
  const models = createModelRepository(database.db);
  const runs = createRunRepository(database.db);
  const endpoints = createEndpointRepository(database.db);
  const retrainings = createRetrainingRepository(database.db);
  const workDirectory = join(config.ANNEAL_HOME, 'work');
  await mkdir(workDirectory, { recursive: true });

  const fetch = createOutgoingFetch({
    hosts: config.OUTGOING_HOSTS,
    privateAddresses: config.OUTGOING_PRIVATE_ADDRESSES,
  });
  const sources: SourceDeps = {
    store,
    getDataset: datasets.getVersion,
    databases: config.SOURCE_DATABASES,
    fetch,
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

  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret } = config;
  const now = () => new Date();
  const post =
    url === undefined || secret === undefined
      ? () => Promise.reject(new PlatformError('INVALID', 'ALERT_WEBHOOK_URL is not set any more'))
      : createWebhook({ url, secret, fetch, now });
  const responding = { alone: retrainings.alone, webhook: url !== undefined };

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
    ...createResponseActivities({
      ...responding,
      now,
      windowVersion: retrainings.windowVersion,
      isUnderWay: openRetrainings(client),
      getPipeline: createPipelineRepository(database.db).get,
    }),
    ...createRetrainingActivities({
      ...responding,
      ...createDatasetExtensionRepository(database),
      loadDefinition,
      fetchSource: fetchInto,
      extendTable: run('extendTable'),
      store,
      recordVersion: datasets.recordVersion,
      noteDataset: retrainings.noteDataset,
      workDirectory,
    }),
    ...createAlertActivities({ ...createAlertRepository(database.db), post }),
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
