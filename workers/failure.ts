import { ApplicationFailure } from '@temporalio/activity';
import { PlatformError } from '../lib/errors.ts';

/** Gives each expected error its code as failure type. Only UNAVAILABLE is worth a retry: the others would fail again. */
export function asFailure(error: unknown): unknown {
  if (error instanceof PlatformError) {
    const { code, message, details } = error;
    return ApplicationFailure.create({ type: code, message, nonRetryable: code !== 'UNAVAILABLE', details: [details] });
  }
  // ml/ knows no codes: a RangeError is its word for unusable input.
  if (error instanceof RangeError) return ApplicationFailure.nonRetryable(error.message, 'INVALID');
  return error;
}
