import type { Evaluated, PreparedData, TrainedCandidate } from '../../activities/artifacts.ts';
import type { EvaluateInput } from '../../activities/evaluation.ts';
import type { ModelVersion } from '../../db/schema/models.ts';
import { createOnnxSession, scoreRows } from '../../lib/onnx-session.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { bootstrapDifference } from '../../ml/bootstrap.ts';
import type { FittedFeatures } from '../../ml/features.ts';
import { checkGates, checkRegression } from '../../ml/gates.ts';
import { evaluateBinary, type BinaryEvaluation } from '../../ml/metrics/evaluation.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { maxF1Threshold } from '../../ml/threshold.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { HIGHER_IS_BETTER, MetricName } from '../../pipelines/metric-bar.ts';
import { loadDefinition, loadJson, loadMatrix, putJson, store } from './store.ts';
import { loadTestRows } from './test-rows.ts';

type Input = Omit<EvaluateInput, 'model'> & { readonly production: ModelVersion | null };

export const evaluate = threadTask(async (input: Input): Promise<Evaluated> => {
  const definition = await loadDefinition(input.definition);
  const best = bestCandidate(input.trained, definition);
  const model = await loadJson<TrainedModel>(best.model);
  const test = await loadMatrix(input.prepared.test);
  const probability = predictProbabilities(model, test);
  const threshold = await chooseThreshold(definition, model, input.prepared);
  const evaluation = evaluateBinary(test.target, probability, threshold);
  const gates = checkGates(definition.evaluation.gates, evaluation);
  const production = await compareWithProduction({
    ...input,
    definition,
    target: test.target,
    challenger: probability,
  });
  const checks = production?.comparable ? [...gates, production.check] : gates;
  const candidates = input.candidates.map((spec) => ({
    ...spec,
    ...input.trained.find((t) => t.candidate_id === spec.id),
  }));
  const report = {
    best: best.candidate_id,
    selected_by: definition.evaluation.select_by,
    candidates,
    evaluation,
    gates,
    production,
  };
  return {
    best: best.candidate_id,
    threshold,
    metrics: scalarMetrics(evaluation),
    report: await putJson(report),
    passed: checks.every(({ passed }) => passed),
    failures: checks.filter(({ passed }) => !passed).map(({ message }) => message),
  };
});

/** By the definition's metric on validation; the earlier candidate wins a tie. */
function bestCandidate(trained: readonly TrainedCandidate[], { evaluation }: PipelineDefinition): TrainedCandidate {
  const metric = evaluation.select_by;
  const sign = HIGHER_IS_BETTER[metric] ? 1 : -1;
  const score = ({ metrics }: TrainedCandidate) => sign * (metrics[metric] ?? -Infinity);
  return trained.reduce((best, candidate) => (score(candidate) > score(best) ? candidate : best));
}

async function chooseThreshold({ decision }: PipelineDefinition, model: TrainedModel, prepared: PreparedData) {
  if (decision.threshold.policy === 'fixed') return Math.fround(decision.threshold.value);
  const validation = await loadMatrix(prepared.validation);
  return maxF1Threshold(validation.target, predictProbabilities(model, validation));
}

const scalarMetrics = (evaluation: BinaryEvaluation): Record<string, number> =>
  Object.fromEntries(
    MetricName.options.flatMap((name) => (evaluation[name] === null ? [] : [[name, evaluation[name]] as const])),
  );

interface Comparison extends Omit<Input, 'definition'> {
  readonly definition: PipelineDefinition;
  readonly target: Uint8Array;
  readonly challenger: Float64Array;
}

/** Scores the production version's own file on the same raw test rows. */
async function compareWithProduction({ production, prepared, definition, target, challenger }: Comparison) {
  if (!production) return null;
  const features = await loadJson<FittedFeatures>(prepared.features);
  const known = new Map(features.inputs.map((input) => [input.name, input]));
  const strange = production.signature.inputs.filter(({ name, type, nullable }) => {
    const feature = known.get(name);
    // A version from outside may demand what this pipeline's rows lack.
    return feature?.type !== type || (feature.nullable && !nullable);
  });
  if (strange.length > 0) {
    const names = strange.map(({ name }) => name).join(', ');
    return {
      version: production.version,
      comparable: false as const,
      reason: `production takes other features: ${names}`,
    };
  }
  const scores = await scoreProduction(production, prepared);
  const metric = definition.evaluation.select_by;
  const difference = bootstrapDifference({
    target,
    challenger,
    production: scores,
    metric,
    seed: definition.split.seed,
  });
  const check = checkRegression({
    metric,
    higherIsBetter: HIGHER_IS_BETTER[metric],
    difference,
    maxRegression: definition.evaluation.max_regression,
  });
  const evaluation = evaluateBinary(target, scores, production.signature.threshold);
  return { version: production.version, comparable: true as const, metric, difference, check, evaluation };
}

async function scoreProduction(production: ModelVersion, prepared: PreparedData): Promise<Float32Array> {
  const rows = await loadTestRows(prepared, production.signature.inputs);
  const session = await createOnnxSession(await store.get(production.onnxSha256));
  try {
    return await scoreRows(session, production.signature, rows);
  } finally {
    await session.release();
  }
}
