import { OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { AuthEnv } from '../auth/guard.ts';
import type { IdempotencyKeyRepository } from '../db/idempotency-keys.ts';
import { type ErrorDetail, PlatformError } from '../lib/errors.ts';
import type { RateLimiter } from '../lib/rate-limit/rate-limiter.ts';

export interface ApiEnv {
  Variables: AuthEnv['Variables'] & {
    /** Of every body that is not an upload. */
    maxBodyBytes: number;
    idempotencyKeys: IdempotencyKeyRepository;
    /** Of operations that anybody may call. */
    anonymousRate: RateLimiter;
    /** What the audit log is to know beside who, what and when. Never a secret. */
    auditDetail?: Readonly<Record<string, unknown>>;
  };
}

/** The one way to make a router: every bad request becomes the same INVALID, whoever declared the route. */
export const createRouter = () =>
  new OpenAPIHono<ApiEnv>({
    strict: false,
    defaultHook: (result) => {
      if (!result.success) throw invalid(problemsOf(result.error));
    },
  });

export const invalid = (details: readonly ErrorDetail[]) =>
  new PlatformError(
    'INVALID',
    details.length === 1 ? '1 field is not valid' : `${details.length} fields are not valid`,
    {
      details,
    },
  );

/** One entry per bad field; an unknown key is named by its own path. */
export const problemsOf = (error: z.core.$ZodError, prefix: readonly PropertyKey[] = []): ErrorDetail[] =>
  error.issues.flatMap((issue): ErrorDetail[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(path), rule: issue.code, message: issue.message }];
    return issue.keys.map((key) => ({
      path: pathOf([...path, key]),
      rule: issue.code,
      message: 'is not a known field',
    }));
  });

const pathOf = (path: readonly PropertyKey[]) => path.map(String).join('.');
