import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { networkOf } from '../lib/http/client-address.ts';
import { announce, requireAllowed } from '../lib/http/rate-limit.ts';
import type { RateLimiter } from '../lib/rate-limit/rate-limiter.ts';
import type { AuthEnv } from './guard.ts';

/** How often one address may show a credential, and one user send a request. */
export interface CallerRates {
  readonly address: RateLimiter;
  readonly user: RateLimiter;
}

/** How many users' rates one address may use up: many can stand behind it. */
export const ADDRESS_SHARE = 5;
// So an address may guess credentials a fifth as often as it may send requests.
const REFUSED_COSTS = 5;

/**
 * Limits every route that asks who calls: its address before the credential is looked at, then its user (whose API keys
 * share one rate, or making keys would be a way round it). Comes after `identify`.
 */
export const limitCallers = ({ address, user }: CallerRates): MiddlewareHandler<AuthEnv> =>
  createMiddleware<AuthEnv>(async (c, next) => {
    const identity = c.get('identity');
    c.set('identity', async () => {
      const network = networkOf(c.get('clientAddress'));
      requireAllowed(c, address, await address.take(network));
      let principal: Awaited<ReturnType<typeof identity>> = null;
      try {
        principal = await identity();
      } finally {
        if (!principal) await address.take(network, REFUSED_COSTS - 1);
      }
      if (!principal) return null;
      const { user: name } = principal;
      const charge = async (cost: number) => {
        const taken = await user.take(name, cost);
        announce(c, user, taken);
        requireAllowed(c, user, taken);
      };
      c.set('charge', charge);
      await charge(1);
      return principal;
    });
    await next();
  });
