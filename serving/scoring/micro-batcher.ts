import { PlatformError } from '../../lib/errors.ts';
import { createRowBuffers, type RowBuffers, type RowLayout, rowRange } from './row-buffers.ts';
import type { PackedSession } from './packed-session.ts';

export interface MicroBatcherDeps {
  readonly session: Pick<PackedSession, 'probabilities'>;
  readonly layout: RowLayout;
  /** Most rows that are scored at once. */
  readonly maxRows: number;
  /** Told of every batch. */
  readonly onBatch?: (rows: number) => void;
}
export type MicroBatcher = ReturnType<typeof createMicroBatcher>;

interface Batch {
  readonly buffers: RowBuffers;
  readonly waiting: { resolve: (probability: number) => void; reject: (error: unknown) => void }[];
}

/**
 * Scores together what arrives in one turn of the event loop: no timer, so a lone row waits for nobody. While a batch is
 * scored, what arrives is the next one. A batch that fails is scored again row by row, so no caller suffers for another.
 */
export function createMicroBatcher({ session, layout, maxRows, onBatch }: MicroBatcherDeps) {
  const free: Batch[] = [];
  let ready: Batch[] = [];
  let filling: Batch | undefined;
  let waiting = 0;
  let running = false;

  const createBatch = (): Batch => ({ buffers: createRowBuffers(layout, maxRows), waiting: [] });

  const score = async (batch: Batch) => {
    const { buffers, waiting: rows } = batch;
    try {
      const probabilities = await session.probabilities(buffers, rows.length);
      onBatch?.(rows.length);
      for (let row = 0; row < rows.length; row++) settle(rows[row]!, probabilities[row]!);
    } catch (error) {
      if (rows.length === 1) rows[0]!.reject(error);
      else await scoreApart(batch);
    }
    waiting -= rows.length;
    rows.length = 0;
    free.push(batch);
  };
  const scoreApart = async ({ buffers, waiting: rows }: Batch) => {
    for (const [row, waiter] of rows.entries()) {
      await session.probabilities(rowRange(buffers, layout, row, row + 1), 1).then(
        ([probability]) => settle(waiter, probability!),
        (error: unknown) => waiter.reject(error),
      );
    }
  };
  const run = async () => {
    running = true;
    while (ready.length > 0 || filling) {
      const batches = ready;
      if (filling) batches.push(filling);
      ready = [];
      filling = undefined;
      for (const batch of batches) await score(batch);
    }
    running = false;
  };
  const start = () => void run();

  return {
    /**
     * The probability of one row, which `write` puts into the buffers; null, with nothing queued, when it answers false.
     * Rejects with MODEL_INVALID when the model answers no number for it.
     */
    add: (write: (buffers: RowBuffers, index: number) => boolean): Promise<number> | null => {
      const batch = filling ?? free.pop() ?? createBatch();
      const index = batch.waiting.length;
      if (!write(batch.buffers, index)) {
        if (batch !== filling) free.push(batch);
        return null;
      }
      if (!filling && !running && ready.length === 0) setImmediate(start);
      filling = batch;
      waiting++;
      const scored = new Promise<number>((resolve, reject) => batch.waiting.push({ resolve, reject }));
      if (index + 1 === maxRows) {
        ready.push(batch);
        filling = undefined;
      }
      return scored;
    },
    /** Rows that wait for their score. */
    depth: () => waiting,
  };
}

function settle({ resolve, reject }: Batch['waiting'][number], probability: number): void {
  if (Number.isFinite(probability)) resolve(probability);
  else reject(new PlatformError('MODEL_INVALID', `the model answered ${probability}, not a probability`));
}
