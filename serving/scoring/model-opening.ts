import { createModelTrial, type ModelTrialOptions } from './model-trial.ts';
import { createRowsThread } from './rows-thread.ts';

export type ModelOpening = ReturnType<typeof createModelOpening>;

/** Where models are tried and, when they are too slow for the event loop, scored. */
export function createModelOpening(options: ModelTrialOptions) {
  const thread = createRowsThread();
  return { tryModel: createModelTrial(options), openOnThread: thread.open, close: thread.close };
}
