import type { ScoringCost } from '../loaded-model.ts';
import type { PackedSession } from './packed-session.ts';
import type { RowBuffers } from './row-buffers.ts';

/** How many rows the buffers must have. */
export const MEASURED_ROWS = 256;
// For each size: the first runs are slow, and what else runs on the machine slows some. Of a slow model few must do.
const MAX_RUNS = 100;
const MAX_MS = 300;

/** Median time of scoring 1, 32 and 256 rows at once. */
export async function measureCost(session: PackedSession, buffers: RowBuffers): Promise<ScoringCost> {
  const median = async (rows: number) => {
    const times: number[] = [];
    for (let spent = 0; times.length < MAX_RUNS && spent < MAX_MS; spent += times.at(-1)!) {
      const start = performance.now();
      await session.probabilities(buffers, rows);
      times.push(performance.now() - start);
    }
    return 1000 * times.sort((a, b) => a - b)[times.length >> 1]!;
  };
  return { 1: await median(1), 32: await median(32), 256: await median(MEASURED_ROWS) };
}
