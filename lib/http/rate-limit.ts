import type { Context } from 'hono';
import { PlatformError } from '../errors.ts';
import type { RateLimiter, RatePolicy, Taken } from '../rate-limit/rate-limiter.ts';

/** Says where the caller stands, in the headers of draft-ietf-httpapi-ratelimit-headers. */
export function announce(c: Context, { policy }: RateLimiter, { remaining, resetMs }: Taken): void {
  c.header('ratelimit-policy', describe(policy));
  c.header('ratelimit', `"${policy.name}";r=${remaining};t=${seconds(resetMs)}`);
}

/** Throws RATE_LIMITED, with the same headers and the time to wait, when nothing was left to take. */
export function requireAllowed(c: Context, limiter: RateLimiter, taken: Taken): void {
  if (taken.allowed) return;
  announce(c, limiter, taken);
  const { limit, windowMs } = limiter.policy;
  throw new PlatformError('RATE_LIMITED', `more than ${limit} requests in ${seconds(windowMs)} seconds; wait`, {
    retryAfterSeconds: Math.max(seconds(taken.resetMs), 1),
  });
}

const describe = ({ name, limit, windowMs }: RatePolicy) => `"${name}";q=${limit};w=${seconds(windowMs)}`;
const seconds = (ms: number) => Math.ceil(ms / 1000);
