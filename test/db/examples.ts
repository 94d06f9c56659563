import type { ImportVersionInput, RegisterVersionInput } from '../../db/models.ts';
import { definePipeline, type PipelineDefinition } from '../../pipelines/definition.ts';
import { pendingStatus, type JobStatus } from '../../workflows/messages.ts';

export const exampleDefinition = (name: string, description = ''): PipelineDefinition =>
  definePipeline({
    name,
    description,
    target: { column: 'churned' },
    features: { age: { type: 'numeric' } },
    candidates: [{ algorithm: 'logistic_regression' }],
  });

export const exampleStatus = (jobId: string, change: Partial<JobStatus> = {}): JobStatus => ({
  ...pendingStatus({
    job_id: jobId,
    kind: 'train_model',
    pipeline: { name: 'churn', version: 1 },
    requested_by: 'test',
    started_at: '2026-01-01T00:00:00.000Z',
  }),
  state: 'RUNNING',
  stage: 'make_dataset',
  waiting_for: null,
  ...change,
});

export const exampleVersion = (modelName: string, runId: string, metrics = { roc_auc: 0.8 }): RegisterVersionInput => ({
  modelName,
  runId,
  algorithm: 'gradient_boosting',
  hyperparameters: { trees: 10 },
  metrics,
  gatesPassed: true,
  onnxSha256: 'a'.repeat(64),
  onnxBytes: 100,
  evaluationSha256: 'b'.repeat(64),
  referenceProfileSha256: 'c'.repeat(64),
  goldenRowsSha256: 'd'.repeat(64),
  explainerSha256: '9'.repeat(64),
  signature: {
    inputs: [{ name: 'age', type: 'numeric', nullable: false }],
    classes: { negative: 'no', positive: 'yes' },
    decision: { negative: 'ACCEPT', positive: 'REJECT' },
    threshold: 0.5,
  },
  inputExample: { age: 30 },
  datasetVersionId: 'ds_20260101T000000Z_aaaaaaaaaaaa',
  datasetSha256: 'e'.repeat(64),
  pipelineName: 'churn',
  pipelineVersion: 1,
  definitionSha256: 'f'.repeat(64),
  codeCommit: 'abc',
});

export function exampleImport(modelName: string, onnxSha256: string): ImportVersionInput {
  const { onnxBytes, goldenRowsSha256, signature, inputExample } = exampleVersion(modelName, '');
  return { modelName, onnxSha256, onnxBytes, goldenRowsSha256, signature, inputExample, importedBy: 'sara' };
}
