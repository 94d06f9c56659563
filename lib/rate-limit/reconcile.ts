import type { Logger } from '../log.ts';
import { repeat } from '../repeat.ts';
import type { AddCounts } from './rate-limiter.ts';
import type { SharedRate } from './shared-rate.ts';

export interface ReconcilingOptions {
  readonly rates: readonly Pick<SharedRate, 'reconcile'>[];
  readonly add: AddCounts;
  readonly log: Pick<Logger, 'warn'>;
  readonly everyMs?: number;
}

/** Reconciles in the background until it is stopped; counts on without the shared counters while they cannot be reached. */
export function startReconciling({ rates, add, log, everyMs = 500 }: ReconcilingOptions) {
  let failing = false;
  const { stop } = repeat(async () => {
    try {
      for (const rate of rates) await rate.reconcile(add);
      failing = false;
    } catch (err) {
      if (!failing) log.warn({ err }, 'rates are counted in this process alone');
      failing = true;
    }
  }, everyMs);
  return { stop };
}
