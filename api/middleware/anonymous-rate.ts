import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { networkOf } from '../../lib/http/client-address.ts';
import { announce, requireAllowed } from '../../lib/http/rate-limit.ts';
import type { ApiEnv } from '../router.ts';

/** Limits an operation that anybody may call by the caller's address. */
export const limitAnonymous = createMiddleware<ApiEnv>(async (c, next) => {
  await takeAnonymous(c);
  await next();
});

/** Takes one request from the address's rate of such operations. Throws RATE_LIMITED. */
export async function takeAnonymous(c: Context<ApiEnv>): Promise<void> {
  const limiter = c.get('anonymousRate');
  const taken = await limiter.take(networkOf(c.get('clientAddress')));
  announce(c, limiter, taken);
  requireAllowed(c, limiter, taken);
}
