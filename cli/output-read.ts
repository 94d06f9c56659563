import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** Resolves when output is read to its `end`, or half a second later: what has inherited it must not hold up the rest. */
export async function outputRead(end: Promise<unknown>): Promise<void> {
  await Promise.race([end, delay(500)]);
  await nextTurn(); // a process that stood still has what came meanwhile yet to read
}
