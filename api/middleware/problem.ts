import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, type ErrorDetail, PlatformError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ApiEnv } from '../router.ts';
import { isUnavailable } from './unavailable.ts';

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly errors: readonly ErrorDetail[];
}
type Answer = Pick<Problem, 'status' | 'code' | 'detail'> & { readonly errors?: readonly ErrorDetail[] };

const STATUS = {
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
  INVALID: 422,
  DATA_CONTRACT: 422,
  QUALITY_GATE: 422,
  MODEL_INVALID: 422,
  DEPLOYMENT_FAILED: 502,
  UNAVAILABLE: 503,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;
const TITLES: Partial<Record<ContentfulStatusCode, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};
const UNAVAILABLE_DETAIL = 'something this request needs cannot be reached now; try again shortly';

/** Turns whatever a route throws into one problem+json answer. What the caller cannot mend is only in the log. */
export const answerError = (log: Logger) => (error: Error, c: Context<ApiEnv>) => {
  const answer = describe(error);
  if (answer.status >= 500) log.error({ err: error, request_id: c.get('requestId') }, 'request failed');
  return problem(c, answer);
};

export const answerNotFound = (c: Context<ApiEnv>) =>
  problem(c, { status: 404, code: 'NOT_FOUND', detail: 'there is no such route' });

export function problem(c: Context<ApiEnv>, { errors = [], ...answer }: Answer): Response {
  const title = TITLES[answer.status] ?? 'Error';
  const body: Problem = { type: 'about:blank', title, ...answer, request_id: c.get('requestId'), errors };
  if (answer.status === 503) c.header('retry-after', '2');
  return c.json(body, answer.status, { 'content-type': 'application/problem+json' });
}

function describe(error: Error): Answer {
  if (isUnavailable(error)) return { status: 503, code: 'UNAVAILABLE', detail: UNAVAILABLE_DETAIL };
  if (error instanceof PlatformError) {
    const { code, message, details } = error;
    return { status: STATUS[code], code, detail: message, errors: details };
  }
  if (error instanceof HTTPException && error.status < 500) {
    const code = error.status === 415 ? 'UNSUPPORTED_MEDIA_TYPE' : 'BAD_REQUEST';
    return { status: error.status, code, detail: error.message };
  }
  return { status: 500, code: 'INTERNAL', detail: 'an unexpected error; the log has it under this request id' };
}
