import { Context } from '@temporalio/activity';
import type { CandidateSpec } from '../ml/train.ts';
import type { CandidateProgress } from '../workflows/messages.ts';
import type { PreparedData, Sha256, TrainedCandidate } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface TrainInput {
  readonly definition: Sha256;
  readonly candidate: CandidateSpec;
  readonly prepared: PreparedData;
  /** At most this many progress signals go to the workflow: each costs history events. */
  readonly signals: number;
}

/** What the training thread tells while it works. */
export interface TrainingProgress {
  /** 0–1 */
  readonly done: number;
  /** Newest checkpoint in the artifact store, if any. */
  readonly checkpoint: Sha256 | null;
}
export interface TrainingDeps {
  /** Runs in the thread pool; `checkpoint` continues an earlier attempt. */
  readonly train: (
    input: TrainInput & { readonly checkpoint: Sha256 | null },
    options: { signal: AbortSignal; onProgress: (progress: TrainingProgress) => void },
  ) => Promise<TrainedCandidate>;
  readonly signalProgress: (workflowId: string, progress: CandidateProgress) => Promise<void>;
}
export type TrainingActivities = ReturnType<typeof createTrainingActivities>;

export const createTrainingActivities = ({ train, signalProgress }: TrainingDeps) => ({
  /** Trains one candidate. A retry after a crash continues from the last checkpoint its predecessor heartbeated. */
  trainCandidate: async (input: TrainInput): Promise<TrainedCandidate> => {
    const { info, log } = Context.current();
    const { attempt, workflowExecution } = info;
    let newest = (info.heartbeatDetails as TrainingProgress | undefined) ?? { done: 0, checkpoint: null };
    const { checkpoint } = newest;
    const announce = stepped(input.signals, (progress) => {
      const message = { candidate_id: input.candidate.id, attempt, progress };
      // Progress is for display: a lost signal must not fail the training.
      signalProgress(workflowExecution!.workflowId, message).catch((error: unknown) => {
        log.debug('progress signal lost', { error });
      });
    });
    announce(newest.done);
    const onProgress = (progress: TrainingProgress) => {
      newest = progress;
      announce(progress.done);
    };
    return await heartbeating(
      (signal) => train({ ...input, checkpoint }, { signal, onProgress }),
      () => newest,
    );
  },
});

/** Calls `emit` at 0 and then each time another 1/(steps) of the way is done. */
function stepped(steps: number, emit: (percent: number) => void): (done: number) => void {
  let next = 0;
  return (done) => {
    if (done < next || done >= 1) return;
    emit(Math.floor(done * 100));
    next = (Math.floor(done * steps) + 1) / steps;
  };
}
