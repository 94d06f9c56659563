import type { MessagePort } from 'node:worker_threads';
import { outcomeOf, type TaskOutcome } from './task-outcome.ts';

/** A function that a pool thread runs: plain data in, plain data out, `report` for progress on the way. */
export type Task<Input, Output, Progress = never> = (
  input: Input,
  report: (progress: Progress) => void,
) => Output | Promise<Output>;

export interface TaskCall {
  readonly input: unknown;
  readonly port: MessagePort;
}

/** Makes a task callable through `createThreadPool`. A PlatformError keeps its code and details across the threads. */
export const threadTask =
  <Input, Output, Progress>(task: Task<Input, Output, Progress>) =>
  async ({ input, port }: TaskCall): Promise<TaskOutcome> => {
    try {
      return await outcomeOf(() => task(input as Input, (progress) => port.postMessage(progress)));
    } finally {
      port.close();
    }
  };
