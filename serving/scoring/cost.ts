import type { ScoringCost } from '../loaded-model.ts';
import type { PackedSession } from './packed-session.ts';
import type { RowBuffers } from './row-buffers.ts';

/** How many rows the buffers must have. */
export const MEASURED_ROWS = 256;
// For each size. Few runs are enough where they are long; a median of very few would be the machine's mood.
const BUDGET_MS = 10;
const MIN_RUNS = 15;
const MAX_RUNS = 300;
const MAX_MS = 300; // one run may take longer, and is the only one then

/** Median time of scoring 1, 32 and 256 rows at once. */
export async function measureCost(session: PackedSession, buffers: RowBuffers): Promise<ScoringCost> {
  const median = async (rows: number) => {
    const times: number[] = [];
    const began = performance.now();
    const isEnough = (spentMs: number) =>
      times.length >= MAX_RUNS || spentMs > MAX_MS || (spentMs > BUDGET_MS && times.length >= MIN_RUNS);
    do {
      const start = performance.now();
      await session.probabilities(buffers, rows);
      times.push(1000 * (performance.now() - start));
    } while (!isEnough(performance.now() - began));
    return times.sort((a, b) => a - b)[times.length >> 1]!;
  };
  return { 1: await median(1), 32: await median(32), 256: await median(MEASURED_ROWS) };
}
