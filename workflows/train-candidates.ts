import { ActivityCancellationType, CancellationScope, proxyActivities, setHandler } from '@temporalio/workflow';
import type { PreparedData, TrainedCandidate } from '../activities/artifacts.ts';
import type { RunPlan } from '../activities/planning.ts';
import type { TrainingActivities } from '../activities/training.ts';
import { now, type Job } from './job.ts';
import { candidateProgressSignal, QUEUES } from './messages.ts';
import type { CandidateStatus, JobInput } from './messages.ts';

const SIGNALS_PER_RUN = 30; // each costs about four of a history's 400 events

const { trainCandidate } = proxyActivities<TrainingActivities>({
  taskQueue: QUEUES.training,
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // Each attempt continues from the last checkpoint, so a restarted worker is not a lost attempt.
  retry: { maximumAttempts: 20, maximumInterval: '30 seconds' },
});

/** Trains every candidate of the plan in parallel. The first failure cancels the others. */
export async function trainCandidates(
  job: Job,
  input: JobInput,
  plan: RunPlan,
  prepared: PreparedData,
): Promise<TrainedCandidate[]> {
  const { candidates } = job.status;
  setHandler(candidateProgressSignal, ({ candidate_id, attempt, progress }) => {
    const candidate = candidates.find(({ id }) => id === candidate_id);
    if (candidate?.state === 'RUNNING' || candidate?.state === 'PENDING') {
      Object.assign(candidate, { state: 'RUNNING', attempt, progress, started_at: candidate.started_at ?? now() });
    }
  });
  const signals = Math.max(1, Math.min(10, Math.floor(SIGNALS_PER_RUN / plan.candidates.length)));
  const train = async (candidate: RunPlan['candidates'][number], status: CandidateStatus) => {
    const trained = await trainCandidate({ definition: input.definition, candidate, prepared, signals });
    const { metrics } = trained;
    Object.assign(status, { state: 'COMPLETED', progress: 100, metrics, finished_at: now() });
    advance(job);
    return trained;
  };
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const running = plan.candidates.map((candidate, index) => train(candidate, candidates[index]!));
    try {
      return await Promise.all(running);
    } catch (error) {
      scope.cancel();
      await Promise.allSettled(running);
      throw error;
    }
  });
}

export const candidateStatuses = (plan: RunPlan): CandidateStatus[] =>
  plan.candidates.map(({ id, algorithm, hyperparameters }) => ({
    id,
    algorithm,
    hyperparameters: { ...hyperparameters },
    state: 'PENDING',
    progress: 0,
    attempt: 0,
    metrics: {},
    started_at: null,
    finished_at: null,
  }));

function advance({ status }: Job): void {
  const done = status.candidates.filter(({ state }) => state === 'COMPLETED').length;
  const index = status.stages.findIndex(({ name }) => name === 'training');
  status.progress = Math.floor((100 * (index + done / status.candidates.length)) / status.stages.length);
}
