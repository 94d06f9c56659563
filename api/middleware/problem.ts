import type { Context } from 'hono';
import { PlatformError } from '../../lib/errors.ts';
import { answerProblem, toProblem } from '../../lib/http/problem.ts';
import type { Logger } from '../../lib/log.ts';
import type { ApiEnv } from '../router.ts';
import { isUnavailable } from './unavailable.ts';

const UNAVAILABLE_DETAIL = 'something this request needs cannot be reached now; try again shortly';

/** Turns whatever a route throws into one problem+json answer. What the caller cannot mend is only in the log. */
export const answerError = (log: Logger) => (error: Error, c: Context<ApiEnv>) => {
  const shown = isUnavailable(error) ? new PlatformError('UNAVAILABLE', UNAVAILABLE_DETAIL) : error;
  const problem = toProblem(shown, c.get('requestId'));
  if (problem.status >= 500) log.error({ err: error, request_id: problem.request_id }, 'request failed');
  return answerProblem(c, problem);
};
