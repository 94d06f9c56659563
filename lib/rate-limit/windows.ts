import type { RatePolicy, Taken } from './rate-limiter.ts';

/** What this process knows of one key's window. */
export interface Window {
  points: number;
  /** Of `points`, those the shared counter has not been told. */
  unsent: number;
  endsAt: number;
}

/** Windows of many keys in bounded memory: beyond `maxKeys` the oldest is forgotten. Times are milliseconds of any one clock. */
export function createWindows({ windowMs }: Pick<RatePolicy, 'windowMs'>, maxKeys: number) {
  const windows = new Map<string, Window>();
  return {
    /** The key's window in progress; a new one when there is none. */
    at: (key: string, now: number): Window => {
      const known = windows.get(key);
      if (known && known.endsAt > now) return known;
      // Deleted first, so that the map stays in the order in which windows began.
      if (known) windows.delete(key);
      else if (windows.size >= maxKeys) windows.delete(windows.keys().next().value!);
      const fresh = { points: 0, unsent: 0, endsAt: now + windowMs };
      windows.set(key, fresh);
      return fresh;
    },
    /** Is this still what `at` would give? */
    holds: (key: string, window: Window): boolean => windows.get(key) === window,
    /** Forgets windows that are over. */
    sweep: (now: number): void => {
      for (const [key, { endsAt }] of windows) {
        if (endsAt > now) break;
        windows.delete(key);
      }
    },
    size: (): number => windows.size,
  };
}

export const takenFrom = ({ points, endsAt }: Window, { limit }: RatePolicy, allowed: boolean, now: number): Taken => ({
  allowed,
  remaining: Math.max(limit - points, 0),
  // Whole: the sum and the difference of fractions can be a little more than the window.
  resetMs: Math.max(Math.round(endsAt - now), 0),
});
