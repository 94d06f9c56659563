import { stat } from 'node:fs/promises';
import { PlatformError } from '../../lib/errors.ts';
import { createLimitedProcesses } from '../../lib/limited-process.ts';
import type { TrialInput, TrialResult } from './trial.ts';

export interface ModelTrialOptions {
  readonly timeoutMs: number;
  /** What the process runs, when it is not the usual trial. */
  readonly script?: URL;
  /** Ends the trials that run, with its reason. */
  readonly signal?: AbortSignal;
}
/** Throws MODEL_INVALID with what is wrong with a model. */
export type TryModel = (input: TrialInput) => Promise<TrialResult>;

const MIB = 2 ** 20;
const memoryFor = (bytes: number) => 512 * MIB + 24 * bytes; // ensembles of trees take up to 20 times their file

/**
 * Tries a model in a process of its own, so that a file that hangs, exhausts the memory or crashes ONNX Runtime does so
 * there, while this process goes on serving the model before it.
 */
export function createModelTrial({
  timeoutMs,
  script = new URL('trial-process.ts', import.meta.url),
  signal,
}: ModelTrialOptions): TryModel {
  // Two, so that a model that takes for ever does not keep all others out.
  const run = createLimitedProcesses({ concurrent: 2, waiting: Infinity });
  const refuse = (_rule: string, message: string) => new PlatformError('MODEL_INVALID', `trying the model ${message}`);
  return async (input) => {
    const { size } = await stat(input.path);
    return await run({ script, memoryBytes: memoryFor(size), timeoutMs, refuse }, input, signal);
  };
}
