import { HTTPException } from 'hono/http-exception';
import { PlatformError, type ErrorCode, type ErrorDetail } from '../lib/errors.ts';

const STATUS = {
  NOT_FOUND: 404,
  CONFLICT: 409,
  INVALID: 422,
  DATA_CONTRACT: 422,
  QUALITY_GATE: 422,
  TOO_LARGE: 413,
  UNAVAILABLE: 503,
  MODEL_INVALID: 500,
  DEPLOYMENT_FAILED: 500,
} as const satisfies Record<ErrorCode, number>;
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** RFC 9457, `application/problem+json`. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: 400 | (typeof STATUS)[ErrorCode];
  readonly code: ErrorCode | 'BAD_REQUEST' | 'INTERNAL';
  readonly detail: string;
  readonly request_id: string;
  readonly errors: readonly ErrorDetail[];
}

/** What a caller may read of a failure; the rest is only in the log. */
export function toProblem(error: unknown, requestId: string): Problem {
  const problem = (
    status: Problem['status'],
    code: Problem['code'],
    detail: string,
    errors: readonly ErrorDetail[] = [],
  ) => ({ type: 'about:blank', title: TITLES[status]!, status, code, detail, request_id: requestId, errors }) as const;
  if (error instanceof PlatformError) return problem(STATUS[error.code], error.code, error.message, error.details);
  if (error instanceof HTTPException && error.status === 400) return problem(400, 'BAD_REQUEST', error.message);
  return problem(500, 'INTERNAL', 'an unexpected error; the log has it under this request id');
}
