import { setTimeout as delay } from 'node:timers/promises';

export interface Running {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  readonly stop: () => Promise<void>;
}
export interface Kept<T extends Running> {
  /** The one that runs now, or ran last. */
  readonly current: () => T;
  readonly stop: () => Promise<void>;
}
export interface KeepOptions {
  readonly name: string;
  /** Told when it died and when it runs again. */
  readonly report: (line: string) => void;
  readonly firstDelayMs?: number;
}

const LONGEST_DELAY_MS = 30_000;
const HEALTHY_AFTER_MS = 60_000;

/**
 * Starts something, and starts it again whenever it ends by itself, waiting twice as long each time until it has lived a
 * minute. Only the first start may fail; it gets undefined, later ones what ran before.
 */
export async function keepRunning<T extends Running>(
  start: (previous: T | undefined) => Promise<T>,
  { name, report, firstDelayMs = 500 }: KeepOptions,
): Promise<Kept<T>> {
  const stopping = new AbortController();
  let current = await start(undefined);
  const watch = async () => {
    let wait = firstDelayMs;
    while (!stopping.signal.aborted) {
      const since = Date.now();
      await current.ended;
      if (stopping.signal.aborted) return;
      if (Date.now() - since > HEALTHY_AFTER_MS) wait = firstDelayMs;
      report(`${name} ended unexpectedly; starting it again in ${wait / 1000} s`);
      await delay(wait, undefined, { signal: stopping.signal }).catch(() => {});
      wait = Math.min(wait * 2, LONGEST_DELAY_MS);
      if (!stopping.signal.aborted) await restart();
    }
  };
  const restart = async () => {
    try {
      current = await start(current);
      report(`${name} runs again (process ${current.pid})`);
    } catch (error) {
      report(`${name} does not start: ${(error as Error).message}`);
    }
  };
  const watching = watch();
  const stop = async () => {
    stopping.abort();
    await current.stop();
    await watching; // a start under way when the stop came
    await current.stop();
  };
  return { current: () => current, stop };
}
