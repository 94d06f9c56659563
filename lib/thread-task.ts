import type { MessagePort } from 'node:worker_threads';
import { PlatformError, type ErrorCode, type ErrorDetail } from './errors.ts';

/** A function that a pool thread runs: plain data in, plain data out, `report` for progress on the way. */
export type Task<Input, Output, Progress = never> = (
  input: Input,
  report: (progress: Progress) => void,
) => Output | Promise<Output>;

export interface TaskCall {
  readonly input: unknown;
  readonly port: MessagePort;
}
export type TaskOutcome =
  | { readonly ok: true; readonly output: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: readonly ErrorDetail[];
    };

/** Makes a task callable through `createThreadPool`. A PlatformError keeps its code and details across the threads. */
export const threadTask =
  <Input, Output, Progress>(task: Task<Input, Output, Progress>) =>
  async ({ input, port }: TaskCall): Promise<TaskOutcome> => {
    try {
      return { ok: true, output: await task(input as Input, (progress) => port.postMessage(progress)) };
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const { code, message, details } = error;
      return { ok: false, code, message, details };
    } finally {
      port.close();
    }
  };
