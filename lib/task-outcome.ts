import { PlatformError, type ErrorCode, type ErrorDetail } from './errors.ts';

/** What work in another thread or process came to, as plain data. */
export type TaskOutcome =
  | { readonly ok: true; readonly output: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: readonly ErrorDetail[];
    };

/** Of work on the far side. A PlatformError keeps its code and details; anything else is a bug, and thrown. */
export async function outcomeOf(work: () => unknown): Promise<TaskOutcome> {
  try {
    return { ok: true, output: await work() };
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const { code, message, details } = error;
    return { ok: false, code, message, details };
  }
}

/** The output, or the PlatformError of the far side. */
export function outputOf(outcome: TaskOutcome): unknown {
  if (outcome.ok) return outcome.output;
  throw new PlatformError(outcome.code, outcome.message, { details: outcome.details });
}
