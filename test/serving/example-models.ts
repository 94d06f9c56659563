import type { ServedModel } from '../../db/endpoints.ts';
import { createOnnxSession, scoreRows } from '../../lib/onnx-session.ts';
import type { FittedFeatures } from '../../ml/features.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import type { GoldenRows, ModelSignature, RawRow } from '../../ml/signature.ts';

const FEATURES: FittedFeatures = {
  inputs: [
    { name: 'age', type: 'numeric', nullable: false },
    { name: 'spend', type: 'numeric', nullable: true },
    { name: 'plan', type: 'categorical_string', nullable: true },
  ],
  encodings: [{ column: 'plan', categories: ['basic', 'plus'], codes: [0.25, 0.75] }],
  derived: [],
};
export const SIGNATURE: ModelSignature = {
  inputs: FEATURES.inputs,
  classes: { negative: 'no', positive: 'yes' },
  decision: { negative: 'ACCEPT', positive: 'REJECT' },
  threshold: 0.5,
};
export const GOLDEN_ROWS: readonly RawRow[] = [
  { age: 30, spend: 10.5, plan: 'basic' },
  { age: 70, spend: null, plan: 'plus' },
  { age: 18, spend: 3, plan: null },
];

export interface ExampleModel {
  readonly onnx: Uint8Array;
  readonly golden: GoldenRows;
  readonly signature: ModelSignature;
}

/** A small logistic regression; models of different intercepts answer differently. */
export async function exampleModel(intercept = 0, signature = SIGNATURE): Promise<ExampleModel> {
  const onnx = writeOnnx({
    model: {
      kind: 'logistic_regression',
      columns: ['age', 'spend', 'plan'],
      impute: [40, 5, 0.5],
      mean: [40, 5, 0.5],
      scale: [10, 5, 0.25],
      coefficients: [0.5, -0.25, 0.125],
      missing: [{ column: 1, coefficient: 0.3 }],
      intercept,
    },
    features: FEATURES,
    signature,
    metadata: {},
  });
  return { onnx, golden: { rows: GOLDEN_ROWS, probabilities: await probabilitiesOf(onnx) }, signature };
}

export async function probabilitiesOf(onnx: Uint8Array, rows = GOLDEN_ROWS): Promise<number[]> {
  const session = await createOnnxSession(onnx);
  const probabilities = await scoreRows(session, session, rows);
  await session.release();
  return [...probabilities];
}

/** A model version as a serving process hears of it. */
export const servedModel = (version: number, change: Partial<ServedModel> = {}): ServedModel => ({
  modelName: 'churn',
  version,
  runId: `run-${version}`,
  algorithm: 'logistic_regression',
  hyperparameters: { l2: 1 },
  metrics: { roc_auc: 0.8 },
  gatesPassed: true,
  onnxSha256: 'a'.repeat(64),
  onnxBytes: 100,
  evaluationSha256: 'b'.repeat(64),
  referenceProfileSha256: 'c'.repeat(64),
  goldenRowsSha256: 'd'.repeat(64),
  explainerSha256: null,
  signature: SIGNATURE,
  inputExample: GOLDEN_ROWS[0]!,
  datasetVersionId: 'ds_20260101T000000Z_aaaaaaaaaaaa',
  datasetSha256: 'e'.repeat(64),
  pipelineName: 'churn',
  pipelineVersion: 1,
  definitionSha256: 'f'.repeat(64),
  codeCommit: 'abc',
  importedBy: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...change,
});
