import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { Evaluated, MadeDataset, PreparedData, TrainedCandidate } from '../activities/artifacts.ts';
import type { EvaluationActivities } from '../activities/evaluation.ts';
import type { MonitoringActivities } from '../activities/monitoring.ts';
import type { PlanningActivities, RunPlan } from '../activities/planning.ts';
import type { RegisteredModel, RegistryActivities } from '../activities/registry.ts';
import { deployStage } from './deploy-stage.ts';
import { runJob, type Job } from './job.ts';
import { QUEUES } from './messages.ts';
import type { JobInput, JobStatus } from './messages.ts';
import { makeDatasetStage, preprocessingStage } from './stages.ts';
import { candidateStatuses, trainCandidates } from './train-candidates.ts';

// Bounded: after ten tries over some minutes an infrastructure fault needs a person. User mistakes are not retried.
const retry = { maximumAttempts: 10, maximumInterval: '30 seconds' } as const;
const { planRun } = proxyActivities<PlanningActivities>({ startToCloseTimeout: '1 minute', retry });
const { evaluateCandidates, registerModel } = proxyActivities<EvaluationActivities & RegistryActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry,
});
const { buildReferenceProfile } = proxyActivities<MonitoringActivities>({
  taskQueue: QUEUES.monitoring,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  retry,
});
/** From a source to a model that answers over HTTP. The run id is the workflow id. */
export const trainModel = (input: JobInput): Promise<JobStatus> =>
  runJob('train_model', input, async (job) => {
    const plan = await planRun(input.definition);
    job.status.candidates = candidateStatuses(plan);
    const dataset = await makeDatasetStage(job, input);
    const prepared = await preprocessingStage(job, input, dataset);
    const trained = await job.stage('training', () => trainCandidates(job, input, plan, prepared));
    const evaluated = await job.stage('evaluation', () => evaluate(job, input, plan, prepared, trained));
    const model = await job.stage('registry', () =>
      register(job, input, { plan, dataset, prepared, trained, evaluated }),
    );
    if (!evaluated.passed) {
      throw ApplicationFailure.nonRetryable(
        `${model.uri} is registered but not promoted: ${evaluated.failures.join('; ')}`,
        'QUALITY_GATE',
      );
    }
    if (plan.promotion === 'automatic') await deployStage(job, plan.endpoint, model);
  });

async function evaluate(
  { status }: Job,
  input: JobInput,
  plan: RunPlan,
  prepared: PreparedData,
  trained: readonly TrainedCandidate[],
): Promise<Evaluated> {
  const { definition } = input;
  const { model, candidates } = plan;
  const evaluated = await evaluateCandidates({ definition, model, candidates, trained, prepared });
  status.best_candidate = evaluated.best;
  status.metrics = { ...evaluated.metrics };
  return evaluated;
}

interface RegisterInput {
  readonly plan: RunPlan;
  readonly dataset: MadeDataset;
  readonly prepared: PreparedData;
  readonly trained: readonly TrainedCandidate[];
  readonly evaluated: Evaluated;
}

async function register(
  { status }: Job,
  { pipeline, definition }: JobInput,
  { plan, dataset, prepared, trained, evaluated }: RegisterInput,
): Promise<RegisteredModel> {
  const best = trained.find(({ candidate_id }) => candidate_id === evaluated.best)!;
  const model = await registerModel({
    definition,
    pipeline,
    model_name: plan.model,
    candidate: plan.candidates.find(({ id }) => id === evaluated.best)!,
    trained_model: best.model,
    dataset,
    prepared,
    evaluated,
    reference_profile: await buildReferenceProfile({ prepared, model: best.model }),
  });
  status.model = { ...model };
  return model;
}
