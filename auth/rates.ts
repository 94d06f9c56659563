import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { networkOf } from '../lib/http/client-address.ts';
import { announce, type AnswerHeaders, requireAllowed } from '../lib/http/rate-limit.ts';
import type { RateLimiter } from '../lib/rate-limit/rate-limiter.ts';
import type { AuthEnv } from './guard.ts';
import type { Principal } from './principal.ts';

/** How often one address may show a credential, and one user send a request. */
export interface CallerRates {
  readonly address: RateLimiter;
  readonly user: RateLimiter;
}

/** How many users' rates one address may use up: many can stand behind it. */
export const ADDRESS_SHARE = 5;
// So an address may guess credentials a fifth as often as it may send requests.
const REFUSED_COSTS = 5;

/** Who calls, and what takes more from the rate than the one that every request costs. */
export interface LimitedCaller {
  readonly principal: Principal;
  /** Throws RATE_LIMITED. */
  readonly charge: (cost: number) => Promise<void>;
}

/**
 * Takes one request from the rate of its address, before the credential is looked at, then from its user's (whose API
 * keys share one rate, or making keys would be a way round it). Null without a credential. Throws RATE_LIMITED, and what
 * `identify` throws.
 */
export async function takeRequest(
  answer: AnswerHeaders,
  { address, user }: CallerRates,
  clientAddress: string,
  identify: () => Promise<Principal | null>,
): Promise<LimitedCaller | null> {
  const network = networkOf(clientAddress);
  requireAllowed(answer, address, await address.take(network));
  let principal: Principal | null = null;
  try {
    principal = await identify();
  } finally {
    if (!principal) await address.take(network, REFUSED_COSTS - 1);
  }
  if (!principal) return null;
  const { user: name } = principal;
  const charge = async (cost: number) => {
    const taken = await user.take(name, cost);
    announce(answer, user, taken);
    requireAllowed(answer, user, taken);
  };
  await charge(1);
  return { principal, charge };
}

/** Limits every route that asks who calls. Comes after `identify`. */
export const limitCallers = (rates: CallerRates): MiddlewareHandler<AuthEnv> =>
  createMiddleware<AuthEnv>(async (c, next) => {
    const identity = c.get('identity');
    c.set('identity', async () => {
      const caller = await takeRequest(c, rates, c.get('clientAddress'), identity);
      if (!caller) return null;
      c.set('charge', caller.charge);
      return caller.principal;
    });
    await next();
  });
