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

/**
 * A batch costs a point for every ten rows: in a batch a row takes less than a tenth of the time of a request of its own.
 * Anything else costs one.
 */
export function costOf(body: unknown): number {
  const rows = (body as { rows?: unknown } | null)?.rows;
  return Array.isArray(rows) ? costOfRows(rows.length) : 1;
}

/** What a batch of so many rows costs. */
export const costOfRows = (rows: number): number => Math.max(Math.ceil(rows / BATCH_ROWS_PER_POINT), 1);
