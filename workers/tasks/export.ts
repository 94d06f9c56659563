import type { ExportedModel, ExportInput } from '../../activities/registry.ts';
import type { PreparedData } from '../../activities/artifacts.ts';
import { PlatformError } from '../../lib/errors.ts';
import { createOnnxSession, scoreRows, type OnnxSession } from '../../lib/onnx-session.ts';
import { threadTask } from '../../lib/thread-task.ts';
import type { Prepared } from '../../data/prepare.ts';
import { classText } from '../../ml/class-text.ts';
import type { Explainable } from '../../ml/explain/explain.ts';
import type { FittedFeatures } from '../../ml/features.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import type { GoldenRows, ModelSignature, RawRow } from '../../ml/signature.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { loadDefinition, loadJson, loadMatrix, putJson, store } from './store.ts';
import { loadTestRows } from './test-rows.ts';

const TOLERANCE = 1e-5; // float32 sums in the file against float64 sums in ml/
const CHECKED_ROWS = 10_000;

export const exportModel = threadTask(async (input: ExportInput): Promise<ExportedModel> => {
  const { prepared, threshold } = input;
  const definition = await loadDefinition(input.definition);
  const features = await loadJson<Prepared['features']>(prepared.features);
  const model = await loadJson<TrainedModel>(input.trained_model);
  const signature = signatureOf(definition, features, threshold);
  const file = writeOnnx({ model, features, signature, metadata: { pipeline: definition.name, ...input.metadata } });
  const session = await createOnnxSession(file);
  try {
    await requireParity(session, signature, model, prepared);
    const rows = await loadJson<RawRow[]>(prepared.sample_rows);
    const golden: GoldenRows = { rows, probabilities: [...(await scoreRows(session, signature, rows))] };
    return {
      onnx: await store.put(file),
      golden_rows: await putJson(golden),
      explainer: await putJson(explainableOf(model, features)),
      signature,
      input_example: rows[0]!,
    };
  } finally {
    await session.release();
  }
});

// The file has no covers, which TreeSHAP needs, and the features say what each column of the model is.
const explainableOf = (model: TrainedModel, { inputs, encodings, derived }: FittedFeatures): Explainable => ({
  model,
  features: { inputs, encodings, derived },
});

const signatureOf = (
  { target, decision, entity }: PipelineDefinition,
  features: Prepared['features'],
  threshold: number,
): ModelSignature => ({
  inputs: features.inputs,
  entity,
  classes: { negative: features.negative_class, positive: classText(target.positive) },
  decision: { positive: decision.positive, negative: decision.negative },
  threshold,
});

/** The file must answer what the trained model answers: training and serving skew ends here. */
async function requireParity(
  session: OnnxSession,
  signature: ModelSignature,
  model: TrainedModel,
  prepared: PreparedData,
): Promise<void> {
  const test = await loadMatrix(prepared.test);
  const expected = predictProbabilities(model, test);
  const rows = await loadTestRows(prepared, signature.inputs, CHECKED_ROWS);
  const answered = await scoreRows(session, signature, rows);
  const worst = answered.reduce((most, value, row) => Math.max(most, Math.abs(value - expected[row]!)), 0);
  if (!(worst <= TOLERANCE)) {
    throw new PlatformError('MODEL_INVALID', `the ONNX file differs from the trained model by ${worst}`);
  }
}
