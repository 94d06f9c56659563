import type { Client } from '@temporalio/client';
import { createTrainingActivities, type TrainingProgress } from '../activities/training.ts';
import type { TrainedCandidate } from '../activities/artifacts.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import type { ThreadPool } from '../lib/thread-pool.ts';
import { candidateProgressSignal } from '../workflows/messages.ts';
import type { TrainProgress } from './tasks/training.ts';

interface TrainingRoleDeps {
  readonly store: ArtifactStore;
  readonly pool: ThreadPool;
  readonly client: Client;
}

/** Candidates only. Checkpoints leave the thread as JSON and become artifacts here. */
export const createTrainingRole = ({ store, pool, client }: TrainingRoleDeps) =>
  createTrainingActivities({
    signalProgress: (workflowId, progress) =>
      client.workflow.getHandle(workflowId).signal(candidateProgressSignal, progress),
    train: async (input, { signal, onProgress }) => {
      let newest: TrainingProgress = { done: 0, checkpoint: input.checkpoint };
      const keep = async ({ done, checkpoint }: TrainProgress) => {
        newest = { ...newest, done };
        onProgress(newest);
        if (checkpoint === undefined) return;
        const { sha256 } = await store.put(Buffer.from(checkpoint));
        newest = { ...newest, checkpoint: sha256 };
        onProgress(newest);
      };
      let kept = Promise.resolve();
      const trained = await pool.run<typeof input, TrainedCandidate, TrainProgress>('train', input, {
        signal,
        onAbort: 'terminate',
        // A checkpoint that could not be stored only costs repeated work.
        onProgress: (progress) => {
          kept = kept.then(() => keep(progress)).catch(() => undefined);
        },
      });
      await kept;
      return trained;
    },
  });
