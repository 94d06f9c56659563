import type { ThreadPool } from '../lib/thread-pool.ts';
import { createTurns } from '../lib/turns.ts';
import type { DriftReport } from '../ml/drift/drift-report.ts';

/** What is found in windows of one version together, by the SHA-256 of their sketches, the oldest first; at least one. */
export type AddUpWindows = (sketches: readonly string[]) => Promise<DriftReport>;

const TURNS = { concurrent: 1, waiting: 8 } as const;

/** Adds up on a thread (workers/add-up-windows.ts) that is opened when it is first needed: a day takes a second or so. */
export function createWindowSums(openThread: () => ThreadPool) {
  let thread: ThreadPool | undefined;
  const inTurn = createTurns(TURNS);
  const addUp: AddUpWindows = (sketches) =>
    inTurn(() => (thread ??= openThread()).run('addUpWindows', sketches, { onAbort: 'terminate' }));
  return { addUp, close: async () => await thread?.close() };
}
