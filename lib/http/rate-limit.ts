import { PlatformError } from '../errors.ts';
import type { RateLimiter, RatePolicy, Taken } from '../rate-limit/rate-limiter.ts';

/** Where the headers of an answer are gathered: Hono's context is one. */
export interface AnswerHeaders {
  header(name: string, value: string): void;
}

/** Says where the caller stands, in the headers of draft-ietf-httpapi-ratelimit-headers. */
export function announce(answer: AnswerHeaders, { policy }: RateLimiter, { remaining, resetMs }: Taken): void {
  answer.header('ratelimit-policy', describe(policy));
  answer.header('ratelimit', `"${policy.name}";r=${remaining};t=${seconds(resetMs)}`);
}

/** Throws RATE_LIMITED, with the same headers and the time to wait, when nothing was left to take. */
export function requireAllowed(answer: AnswerHeaders, limiter: RateLimiter, taken: Taken): void {
  if (taken.allowed) return;
  announce(answer, limiter, taken);
  const { limit, windowMs } = limiter.policy;
  throw new PlatformError('RATE_LIMITED', `more than ${limit} requests in ${seconds(windowMs)} seconds; wait`, {
    retryAfterSeconds: Math.max(seconds(taken.resetMs), 1),
  });
}

const describe = ({ name, limit, windowMs }: RatePolicy) => `"${name}";q=${limit};w=${seconds(windowMs)}`;
const seconds = (ms: number) => Math.ceil(ms / 1000);
