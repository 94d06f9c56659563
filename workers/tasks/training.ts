import type { TrainedCandidate } from '../../activities/artifacts.ts';
import type { TrainInput } from '../../activities/training.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { evaluateBinary } from '../../ml/metrics/evaluation.ts';
import type { Matrix } from '../../ml/matrix.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import type { Checkpoint } from '../../ml/train-hooks.ts';
import { trainCandidate } from '../../ml/train.ts';
import { loadDefinition, loadJson, loadMatrix, putJson } from './store.ts';

// Nothing here may load a native library: cancelling a candidate kills the thread (see lib/thread-pool.ts).

export interface TrainProgress {
  /** 0–1 */
  readonly done: number;
  /** JSON of a new checkpoint; the thread computes without pause, so the activity stores it. */
  readonly checkpoint?: string;
}
type Input = TrainInput & { readonly checkpoint: string | null };

export const train = threadTask(
  async ({ definition, candidate, prepared, checkpoint }: Input, report: (progress: TrainProgress) => void) => {
    const { split } = await loadDefinition(definition);
    const [training, validation] = await Promise.all([loadMatrix(prepared.train), loadMatrix(prepared.validation)]);
    let done = 0;
    const { model, iterations } = trainCandidate(candidate, training, validation, {
      seed: split.seed,
      resume: checkpoint === null ? undefined : await loadJson<Checkpoint>(checkpoint),
      onProgress: ({ iteration, of }) => report({ done: (done = iteration / of) }),
      onCheckpoint: (state) => report({ done, checkpoint: JSON.stringify(state) }),
    });
    const trained: TrainedCandidate = {
      candidate_id: candidate.id,
      model: await putJson(model),
      iterations,
      metrics: validationMetrics(model, validation),
    };
    return trained;
  },
);

/** Metrics that need no threshold. */
function validationMetrics(model: TrainedModel, validation: Matrix): Record<string, number> {
  const evaluation = evaluateBinary(validation.target, predictProbabilities(model, validation), 0.5);
  const { roc_auc, pr_auc, log_loss, brier } = evaluation;
  return Object.fromEntries(
    Object.entries({ roc_auc, pr_auc, log_loss, brier }).filter(
      (entry): entry is [string, number] => entry[1] !== null,
    ),
  );
}
