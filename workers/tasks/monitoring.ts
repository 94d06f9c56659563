import { join } from 'node:path';
import type { ReferenceProfile } from '../../activities/drift-window.ts';
import type { ReferenceInput } from '../../activities/monitoring.ts';
import { writeReferenceSample } from '../../data/drift-sample.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { checkCalibration } from '../../ml/drift/estimated-performance.ts';
import type { FittedFeatures } from '../../ml/features.ts';
import { histogram } from '../../ml/histogram.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { duckdbLimits, inDirectory, loadJson, loadMatrix, putJson, store } from './store.ts';

export { computeWindow } from './drift.ts';
export { countReferenceLabels } from './reference-labels.ts';

const BINS = 50;

/** The test split stands for what the model will see: it was not trained on those rows. */
export const buildReference = threadTask(async ({ prepared, model }: ReferenceInput) => {
  const [features, trained, test] = await Promise.all([
    loadJson<unknown>(prepared.profile),
    loadJson<TrainedModel>(model),
    loadMatrix(prepared.test),
  ]);
  const probabilities = predictProbabilities(trained, test);
  return await putJson({
    features,
    prediction: { rows: test.rows, ...histogram(probabilities, 0, 1, BINS) },
    sample: await sampleOf(prepared, probabilities),
    estimate: checkCalibration(test.target, probabilities),
  } satisfies ReferenceProfile & Record<string, unknown>);
});

const sampleOf = ({ features, test_rows }: ReferenceInput['prepared'], probabilities: Float64Array) =>
  inDirectory('reference', async (directory) => {
    const { inputs } = await loadJson<FittedFeatures>(features);
    const [testRows, path] = [join(directory, 'test-rows.parquet'), join(directory, 'sample.parquet')];
    await store.getFile(test_rows, testRows);
    const rows = await writeReferenceSample({ testRows, inputs, probabilities, path }, duckdbLimits(directory));
    return { sha256: (await store.putFile(path)).sha256, rows };
  });
