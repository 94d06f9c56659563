import { ADDRESS_SHARE, type CallerRates } from '../auth/rates.ts';
import type { RateLimitRepository } from '../db/rate-limits.ts';
import type { Logger } from '../lib/log.ts';
import { createExactRate } from '../lib/rate-limit/exact-rate.ts';
import type { RateLimiter } from '../lib/rate-limit/rate-limiter.ts';
import { startReconciling } from '../lib/rate-limit/reconcile.ts';
import { createSharedRate } from '../lib/rate-limit/shared-rate.ts';
import { repeat } from '../lib/repeat.ts';

export interface ApiRates extends CallerRates {
  /** How often one address may call what anybody may call: logging in. */
  readonly anonymous: RateLimiter;
}
export interface ApiRatesOptions {
  readonly perMinute: { readonly auth: number; readonly general: number };
  readonly counters: Pick<RateLimitRepository, 'add' | 'prune'>;
  readonly log: Pick<Logger, 'warn'>;
  /** How long the shared counters may take; 2 s unless said. */
  readonly patienceMs?: number;
}

const windowMs = 60_000;
const PRUNE_EVERY_MS = 5 * 60_000;

/** The rates of this API process, counted together with the others'. */
export function startApiRates({ perMinute, counters, log, patienceMs }: ApiRatesOptions) {
  const { add } = counters;
  const address = createSharedRate({
    policy: { name: 'address', limit: ADDRESS_SHARE * perMinute.general, windowMs },
  });
  const rates: ApiRates = {
    address,
    user: createExactRate({ policy: { name: 'general', limit: perMinute.general, windowMs }, add, log, patienceMs }),
    anonymous: createExactRate({ policy: { name: 'auth', limit: perMinute.auth, windowMs }, add, log, patienceMs }),
  };
  const reconciling = startReconciling({ rates: [address], add, log });
  const pruning = repeat(
    () => counters.prune().catch((err: unknown) => log.warn({ err }, 'expired rates stay for now')),
    PRUNE_EVERY_MS,
  );
  return { rates, stop: () => Promise.all([reconciling.stop(), pruning.stop()]) };
}
