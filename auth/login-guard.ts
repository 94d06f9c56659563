import { networkOf } from '../lib/http/client-address.ts';
import { PlatformError } from '../lib/errors.ts';
import { createTurns } from '../lib/turns.ts';

/** After `free` failures in a row the next attempt must wait, each further one twice as long. */
export interface Backoff {
  readonly free: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** How long after the wait failures still count. */
  readonly forgetMs: number;
}
/** Shared by all processes. */
export interface LoginAttempts {
  /** Counts an attempt as failed and gives 0; or counts nothing and gives the milliseconds to wait. */
  readonly begin: (who: string) => Promise<number>;
  /** It was no failure, nor does what was before it count any more. */
  readonly forget: (who: string) => Promise<void>;
}
export type LoginGuard = <T>(userName: string, address: string, logIn: () => Promise<T>) => Promise<T>;

export const LOGIN_BACKOFF: Backoff = { free: 5, firstWaitMs: 1_000, longestWaitMs: 900_000, forgetMs: 3_600_000 };

// A password check takes 19 MiB and one of libuv's four threads, which files and host names need too.
const PASSWORD_CHECKS = { concurrent: 2, waiting: 20 } as const;

/**
 * Runs `logIn`, which throws when it refuses, unless too many attempts on this user from this address have failed: then
 * it throws RATE_LIMITED, also for the right password. An attempt is counted before it is checked, so guesses at the same
 * time get no more checks than guesses in turn; success forgets them. Throws UNAVAILABLE when too many log in at once.
 */
export function createLoginGuard(attempts: LoginAttempts): LoginGuard {
  const inTurn = createTurns(PASSWORD_CHECKS);
  return (userName, address, logIn) =>
    inTurn(async () => {
      const who = JSON.stringify([userName, networkOf(address)]);
      const waitMs = await attempts.begin(who);
      if (waitMs > 0) {
        throw new PlatformError('RATE_LIMITED', 'too many failed attempts to log in; wait before the next', {
          retryAfterSeconds: Math.ceil(waitMs / 1000),
        });
      }
      const session = await logIn();
      await attempts.forget(who);
      return session;
    });
}
