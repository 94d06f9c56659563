import { type ErrorDetail, PlatformError } from '../../lib/errors.ts';

/** INVALID whose message holds the first rule that was broken: clients of this protocol show nothing else. */
export function refusal(details: readonly ErrorDetail[]): PlatformError {
  const [{ path, message }] = details as readonly [ErrorDetail, ...ErrorDetail[]];
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return new PlatformError('INVALID', `the request is not valid: ${path} ${message}${more}`, { details });
}

export const refuse = (path: string, rule: string, message: string) => refusal([{ path, rule, message }]);
