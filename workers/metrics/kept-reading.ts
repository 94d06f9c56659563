import type { Logger } from '../../lib/log.ts';
import { repeat } from '../../lib/repeat.ts';

export interface KeptReading<T> {
  /** What was read last; null when the last attempt failed. */
  readonly current: () => T | null;
  readonly stop: () => Promise<void>;
}

/** Reads at once and then every `everyMs`. Says once that it fails, and once that it works again. */
export function keepReading<T>(source: string, read: () => Promise<T>, everyMs: number, log: Logger): KeptReading<T> {
  let last: T | null = null;
  let failing = false;
  const reading = repeat(async () => {
    try {
      last = await read();
      if (failing) log.info({ source }, 'metrics of the platform are read again');
      failing = false;
    } catch (err) {
      last = null;
      if (!failing) log.warn({ err, source }, 'metrics of the platform cannot be read for now');
      failing = true;
    }
  }, everyMs);
  return { current: () => last, stop: reading.stop };
}
