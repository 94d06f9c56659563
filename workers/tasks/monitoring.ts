import type { ReferenceInput } from '../../activities/monitoring.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { histogram } from '../../ml/histogram.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { loadJson, loadMatrix, putJson } from './store.ts';

const BINS = 50;

/** The test split stands for what the model will see: it was not trained on those rows. */
export const buildReference = threadTask(async ({ prepared, model }: ReferenceInput) => {
  const [features, trained, test] = await Promise.all([
    loadJson<unknown>(prepared.profile),
    loadJson<TrainedModel>(model),
    loadMatrix(prepared.test),
  ]);
  const probabilities = predictProbabilities(trained, test);
  return await putJson({ features, prediction: { rows: test.rows, ...histogram(probabilities, 0, 1, BINS) } });
});
