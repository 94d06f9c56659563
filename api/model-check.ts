import { PlatformError } from '../lib/errors.ts';
import type { LimitedProcesses, LimitRule } from '../lib/limited-process.ts';
import type { GoldenRows, ModelSignature } from '../ml/signature.ts';
import type { ReceivedFile } from './uploads.ts';

/** What a check finds out of a model file that may be served. */
export interface CheckedModel {
  readonly signature: ModelSignature;
  readonly golden: GoldenRows;
}
/** What workers/check-model.ts is told. */
export interface CheckModelInput {
  readonly path: string;
  readonly processorSeconds: number;
}
/** Throws INVALID, with one entry that names place and rule, for a file that may not be served. */
export type CheckModel = (file: ReceivedFile, signal: AbortSignal) => Promise<CheckedModel>;

const MIB = 2 ** 20;
// Measured: ensembles of trees take most, 0.11 s of processor time and 20 MiB of memory for each MiB of the file.
const processorSecondsFor = (bytes: number) => 0.4 + bytes / (8 * MIB);
const memoryFor = (bytes: number) => Math.min(384 * MIB + 20 * bytes, 2048 * MIB);
// Beyond the processor's time: for a busy machine, and for a file that makes its process wait.
const CLOCK_FACTOR = 20;
const STARTING_MS = 30_000; // of its process, whatever the file is

/** Inspects, loads and tries a model file in a process of its own, within limits of processor time and memory. */
export const createModelCheck =
  (run: LimitedProcesses, script: URL): CheckModel =>
  async ({ path, bytes }, signal) => {
    const input: CheckModelInput = { path, processorSeconds: processorSecondsFor(bytes) };
    const timeoutMs = STARTING_MS + CLOCK_FACTOR * 1000 * input.processorSeconds;
    return await run({ script, memoryBytes: memoryFor(bytes), timeoutMs, refuse }, input, signal);
  };

function refuse(rule: LimitRule, message: string): PlatformError {
  // How the process ends itself when its processor time is over.
  const isSlow = message.includes('SIGVTALRM');
  const detail = isSlow ? { rule: 'time', message: 'loading and scoring took too long' } : { rule, message };
  return new PlatformError('INVALID', 'the model file is refused', { details: [{ path: '', ...detail }] });
}
