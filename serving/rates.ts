import { ADDRESS_SHARE, type CallerRates } from '../auth/rates.ts';
import type { Logger } from '../lib/log.ts';
import type { AddCounts } from '../lib/rate-limit/rate-limiter.ts';
import { startReconciling } from '../lib/rate-limit/reconcile.ts';
import { createSharedRate } from '../lib/rate-limit/shared-rate.ts';

export interface ServingRatesOptions {
  readonly perMinute: number;
  readonly add: AddCounts;
  readonly log: Pick<Logger, 'warn'>;
}

const windowMs = 60_000;

/** The rates of this serving process, which learns what the others counted in the background: no request waits for it. */
export function startServingRates({ perMinute, add, log }: ServingRatesOptions) {
  const address = createSharedRate({
    policy: { name: 'predict-address', limit: ADDRESS_SHARE * perMinute, windowMs },
  });
  const user = createSharedRate({ policy: { name: 'predict', limit: perMinute, windowMs } });
  const { stop } = startReconciling({ rates: [address, user], add, log });
  const rates: CallerRates = { address, user };
  return { rates, stop };
}

const BATCH_ROWS_PER_POINT = 10;

/** How many rows a batch body holds; 1 where it is none. */
export function rowCountOf(body: unknown): number {
  const rows = (body as { rows?: unknown } | null)?.rows;
  return Array.isArray(rows) ? rows.length : 1;
}

/**
 * Takes from the caller's rate what a batch costs beyond one request, a point for every ten rows: in a batch a row takes
 * less than a tenth of the time of a request of its own. Throws RATE_LIMITED.
 */
export async function chargeRows(charge: (cost: number) => Promise<void>, rows: number): Promise<void> {
  const cost = Math.ceil(rows / BATCH_ROWS_PER_POINT);
  if (cost > 1) await charge(cost - 1);
}
