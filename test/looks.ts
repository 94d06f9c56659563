import { setTimeout as delay } from 'node:timers/promises';

/** Looks so many times, until `check` does not throw: a time that grows with what a busy machine takes to answer. */
export async function withinLooks(looks: number, everyMs: number, check: () => Promise<void>): Promise<void> {
  for (let left = looks - 1; ; left--) {
    try {
      return await check();
    } catch (error) {
      if (left === 0) throw error;
    }
    await delay(everyMs);
  }
}
