import { condition, setHandler } from '@temporalio/workflow';
import type { Job } from './job.ts';
import { pauseSignal, resumeSignal } from './messages.ts';

/** Holds the job while it is paused; opens also where `orIf` holds. */
export type Gate = (orIf?: () => boolean) => Promise<void>;

/** Lets the signals `pause` and `resume` hold the job, by a gate that it passes before each next step. */
export function pausable({ status, project }: Job, mayPause: () => boolean): Gate {
  const isPaused = () => status.state === 'PAUSED';
  setHandler(pauseSignal, () => {
    if (status.state !== 'RUNNING' || !mayPause()) return;
    Object.assign(status, { state: 'PAUSED', waiting_for: 'somebody to resume it' });
    project();
  });
  setHandler(resumeSignal, () => {
    if (!isPaused()) return;
    Object.assign(status, { state: 'RUNNING', waiting_for: null });
    project();
  });
  return (orIf = () => false) => condition(() => !isPaused() || orIf());
}
