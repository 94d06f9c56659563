import type { AddCounts, RateLimiter, RatePolicy, Taken } from './rate-limiter.ts';
import { createWindows, takenFrom, type Window } from './windows.ts';

export interface SharedRateOptions {
  readonly policy: RatePolicy;
  readonly maxKeys?: number;
  readonly now?: () => number;
}
export interface SharedRate extends RateLimiter {
  readonly take: (key: string, cost?: number) => Taken;
  /** Tells the shared counters what was taken here and learns what was taken elsewhere. Rejects when they cannot be reached. */
  readonly reconcile: (add: AddCounts) => Promise<void>;
}

// A statement of this many counters takes some 50 ms; the others wait for the next one.
const MAX_BATCH = 2_000;

/**
 * Counts in memory, without waiting for anything, and reconciles with the other processes in the background: what they
 * let through beyond the limit, all together, is at most what arrives between two reconciliations.
 */
export function createSharedRate({
  policy,
  maxKeys = 50_000,
  now = () => performance.now(),
}: SharedRateOptions): SharedRate {
  const windows = createWindows(policy, maxKeys);
  const changed = new Map<string, Window>();

  return {
    policy,
    take: (key, cost = 1) => {
      const points = Math.min(cost, policy.limit);
      const at = now();
      const window = windows.at(key, at);
      const allowed = window.points + points <= policy.limit;
      if (allowed) {
        window.points += points;
        window.unsent += points;
        changed.set(key, window);
      }
      return takenFrom(window, policy, allowed, at);
    },

    reconcile: async (add) => {
      windows.sweep(now());
      const batch: { key: string; points: number; window: Window }[] = [];
      for (const [key, window] of changed) {
        if (batch.length === MAX_BATCH) break;
        changed.delete(key);
        // What was taken in a window that is over plays no part any more.
        if (windows.holds(key, window)) batch.push({ key, points: window.unsent, window });
        window.unsent = 0;
      }
      if (batch.length === 0) return;
      try {
        const totals = await add(policy, batch);
        batch.forEach(({ window }, index) => {
          window.points = totals[index]!.points + window.unsent;
          window.endsAt = now() + totals[index]!.resetMs;
        });
      } catch (error) {
        for (const { key, points, window } of batch) {
          window.unsent += points;
          if (windows.holds(key, window)) changed.set(key, window);
        }
        throw error;
      }
    },
  };
}
