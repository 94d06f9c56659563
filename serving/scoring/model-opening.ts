import { PlatformError } from '../../lib/errors.ts';
import { createModelTrial, type ModelTrialOptions } from './model-trial.ts';
import { createRowsThread } from './rows-thread.ts';

export type ModelOpening = ReturnType<typeof createModelOpening>;

/** Where models are tried and, when they are too slow for the event loop, scored. */
export function createModelOpening(options: Omit<ModelTrialOptions, 'signal'>) {
  const thread = createRowsThread();
  const stopping = new AbortController();
  return {
    tryModel: createModelTrial({ ...options, signal: stopping.signal }),
    openOnThread: thread.open,
    /** From now on no model is opened; trials end with UNAVAILABLE. */
    stopTrials: (): void => stopping.abort(new PlatformError('UNAVAILABLE', 'this process is stopping')),
    /** When the models are released. */
    close: thread.close,
  };
}
