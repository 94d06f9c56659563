import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { PlatformError, type ErrorCode, type ErrorDetail } from '../errors.ts';

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly errors: readonly ErrorDetail[];
}

const STATUS = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  TOO_LARGE: 413,
  INVALID: 422,
  DATA_CONTRACT: 422,
  QUALITY_GATE: 422,
  RATE_LIMITED: 429,
  MODEL_INVALID: 500,
  DEPLOYMENT_FAILED: 500,
  UNAVAILABLE: 503,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;
const TITLES: Partial<Record<ContentfulStatusCode, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
const RETRY_AFTER_SECONDS = 2;

/** What a caller may read of a failure; what the caller cannot mend is only in the log, under the request id. */
export function toProblem(error: unknown, requestId: string): Problem {
  const { errors = [], ...answer } = describe(error);
  const title = TITLES[answer.status] ?? 'Error';
  return { type: 'about:blank', title, ...answer, request_id: requestId, errors };
}

// Of the answer that was being made.
const OF_THE_CONTENT = ['content-length', 'content-disposition', 'etag', 'location'];

export function answerProblem(c: Context, problem: Problem): Response {
  for (const name of OF_THE_CONTENT) c.header(name, undefined);
  if (problem.status === 401) c.header('www-authenticate', 'Bearer realm="anneal"');
  if (problem.status === 429 || problem.status === 503) c.header('retry-after', String(retryAfterSeconds(c.error)));
  return c.json(problem, problem.status, { 'content-type': 'application/problem+json' });
}

const retryAfterSeconds = (error: unknown) =>
  (error instanceof PlatformError ? error.retryAfterSeconds : undefined) ?? RETRY_AFTER_SECONDS;

type Description = Pick<Problem, 'status' | 'code' | 'detail'> & { readonly errors?: readonly ErrorDetail[] };

function describe(error: unknown): Description {
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
