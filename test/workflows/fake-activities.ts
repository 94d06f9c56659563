import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Evaluated, MadeDataset, PreparedData, TrainedCandidate } from '../../activities/artifacts.ts';
import type { AlertActivities } from '../../activities/alerts.ts';
import type { BatchPredictionActivities } from '../../activities/batch-predictions.ts';
import type { DatasetActivities } from '../../activities/dataset.ts';
import type { DeploymentActivities } from '../../activities/deployment.ts';
import type { DriftActivities } from '../../activities/drift.ts';
import type { EvaluationActivities } from '../../activities/evaluation.ts';
import type { MonitoringActivities } from '../../activities/monitoring.ts';
import type { PlanningActivities } from '../../activities/planning.ts';
import type { PreprocessingActivities } from '../../activities/preprocessing.ts';
import type { ProjectionActivities, ProjectionInput } from '../../activities/projection.ts';
import type { RegistryActivities } from '../../activities/registry.ts';
import type { ResponseActivities } from '../../activities/respond.ts';
import type { RetrainingActivities } from '../../activities/retraining.ts';
import type { TrainingActivities } from '../../activities/training.ts';

export type AllActivities = AlertActivities &
  BatchPredictionActivities &
  DatasetActivities &
  DeploymentActivities &
  DriftActivities &
  EvaluationActivities &
  MonitoringActivities &
  PlanningActivities &
  PreprocessingActivities &
  ProjectionActivities &
  RegistryActivities &
  ResponseActivities &
  RetrainingActivities &
  TrainingActivities;

const dataset: MadeDataset = {
  dataset_version: 'ds_20260101T000000Z_0123456789ab',
  dataset_sha256: 'd',
  parquet: 'p',
  rows: 100,
};
const prepared: PreparedData = {
  train: 'a',
  validation: 'b',
  test: 'c',
  test_rows: 'r',
  features: 'f',
  profile: 'q',
  sample_rows: 's',
  rows: { train: 70, validation: 15, test: 15 },
};
const evaluated: Evaluated = {
  best: 'logistic_regression-1',
  threshold: 0.5,
  metrics: { roc_auc: 0.8 },
  report: 'e',
  passed: true,
  failures: [],
};

/** Activities that compute nothing, for tests of orchestration alone. `projected` collects what went to Postgres. */
export function fakeActivities(replace: Partial<AllActivities> = {}) {
  const projected: ProjectionInput[] = [];
  const activities: AllActivities = {
    planRun: () =>
      Promise.resolve({
        model: 'churn',
        endpoint: 'churn',
        promotion: 'automatic',
        candidates: [
          { id: 'logistic_regression-1', algorithm: 'logistic_regression', hyperparameters: { l2: 1 } },
          { id: 'gradient_boosting-1', algorithm: 'gradient_boosting', hyperparameters: { l2: 1 } },
        ],
      }),
    recordStatus: (input) => {
      projected.push(input);
      return Promise.resolve();
    },
    makeDataset: () => Promise.resolve(dataset),
    preprocess: () => Promise.resolve(prepared),
    trainCandidate: ({ candidate }): Promise<TrainedCandidate> =>
      Promise.resolve({ candidate_id: candidate.id, model: 'm', iterations: 3, metrics: { roc_auc: 0.79 } }),
    evaluateCandidates: () => Promise.resolve(evaluated),
    buildReferenceProfile: () => Promise.resolve('reference'),
    registerModel: () => Promise.resolve({ name: 'churn', version: 1, uri: 'models:/churn/1' }),
    prepareDeployment: () => Promise.resolve({ revision: 1, previous_alias_version: null }),
    awaitNodesReady: () => Promise.resolve({ nodes: ['node'] }),
    activateDeployment: () => Promise.resolve(),
    abandonDeployment: () => Promise.resolve(),
    awaitNodesServing: () => Promise.resolve({ nodes: ['node'] }),
    pinBatchData: () =>
      Promise.resolve({ dataset_version: dataset.dataset_version, dataset_sha256: 'd', format: 'csv' }),
    planBatch: () => Promise.resolve({ plan: 'plan', rows: 1000, chunks: 10 }),
    scoreChunk: ({ chunk }) => Promise.resolve({ sha256: `chunk-${chunk}`, rows_failed: chunk % 2 }),
    noteScoredChunks: ({ before, chunks }) =>
      Promise.resolve([...(before === null ? [] : [before]), ...chunks.map(({ sha256 }) => sha256)].join(' ')),
    assembleBatch: () => Promise.resolve({ output: { sha256: 'output', bytes: 10 }, manifest: 'manifest' }),
    awaitDriftWork: ({ after }) =>
      Promise.resolve(after < 3 ? { kind: 'window', sequence: after + 1 } : { kind: 'over' }),
    computeDrift: () => Promise.resolve({ reported: true }),
    judgeWindow: () => Promise.resolve({ retraining: null, deliveries: [] }),
    extendDataset: () => Promise.resolve({ kind: 'dataset', dataset_version: 'ds_20260102T000000Z_0123456789ab' }),
    endRetraining: () => Promise.resolve([]),
    sendAlert: () => Promise.resolve(),
    giveUpAlert: () => Promise.resolve(),
    ...replace,
  };
  return { activities, projected };
}

/** A training activity that goes on until it is cancelled. */
export async function endlessTraining(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 100);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
  }
  throw new CancelledFailure('cancelled');
}

/** Training whose worker is away once it has taken both candidates: it neither ends nor shows that it is there, until `back`. */
export function lostTraining() {
  const [away, returned] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let taken = 0;
  const trainCandidate = async (): Promise<never> => {
    if (++taken === 2) away.resolve();
    await returned.promise;
    throw new Error('too late');
  };
  return { trainCandidate, away: away.promise, back: returned.resolve };
}

export const brokenContract = () =>
  Promise.reject(
    ApplicationFailure.create({
      type: 'DATA_CONTRACT',
      message: 'the data breaks the contract of pipeline churn',
      nonRetryable: true,
      details: [[{ path: 'account_age', rule: 'missing_column', message: 'the column is missing' }]],
    }),
  );
export const failedGate = () =>
  Promise.resolve({ ...evaluated, passed: false, failures: ['roc_auc is 0.4, must be at least 0.5'] });
