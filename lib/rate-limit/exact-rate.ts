import type { Logger } from '../log.ts';
import type { AddCounts, RateLimiter, RatePolicy, Taken } from './rate-limiter.ts';
import { createGatheredCounter } from './gathered.ts';
import { createWindows, takenFrom } from './windows.ts';

export interface ExactRateOptions {
  readonly policy: RatePolicy;
  readonly add: AddCounts;
  readonly log: Pick<Logger, 'warn'>;
  /** How long a statement may take. */
  readonly patienceMs?: number;
  /** How long requests are counted in this process alone after the shared counter failed. */
  readonly pauseMs?: number;
  readonly maxKeys?: number;
  readonly now?: () => number;
}

/**
 * Asks the shared counter for every request, so the limit is exact over all processes. A key that is known to be over
 * its limit is refused without asking. While the counter cannot be reached, this process counts on from what it knows.
 */
export function createExactRate({
  policy,
  add,
  log,
  patienceMs = 2000,
  pauseMs = 2000,
  maxKeys = 20_000,
  now = () => performance.now(),
}: ExactRateOptions): RateLimiter {
  const windows = createWindows(policy, maxKeys);
  const count = createGatheredCounter(policy, add, patienceMs);
  let pausedUntil = -Infinity;

  return {
    policy,
    take: async (key, cost = 1): Promise<Taken> => {
      const points = Math.min(cost, policy.limit);
      const window = windows.at(key, now());
      const taken = (allowed: boolean) => takenFrom(window, policy, allowed, now());
      if (window.points + points > policy.limit) return taken(false);
      if (now() >= pausedUntil) {
        try {
          const total = await count(key, points);
          window.points = total.points;
          window.endsAt = now() + total.resetMs;
          return taken(total.points <= policy.limit);
        } catch (err) {
          if (now() >= pausedUntil) log.warn({ err, policy: policy.name }, 'rates are counted in this process alone');
          pausedUntil = now() + pauseMs;
        }
      }
      window.points += points;
      return taken(window.points <= policy.limit);
    },
  };
}
