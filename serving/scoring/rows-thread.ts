import { createCalledThread } from '../../lib/called-thread.ts';
import type { PackedSession } from './packed-session.ts';
import type { RowBuffers, RowLayout } from './row-buffers.ts';
import type { RowsThreadOrder } from './rows-thread-worker.ts';

export type RowsThread = ReturnType<typeof createRowsThread>;

/**
 * Scores models whose rows take too long for the event loop on a thread, which starts when the first is opened. When it
 * ends unasked, what waits is rejected with UNAVAILABLE, and the next call starts another one.
 */
export function createRowsThread(script = new URL('rows-thread-worker.ts', import.meta.url)) {
  const gone = 'the thread that scores this model has ended; try again shortly';
  const thread = createCalledThread<RowsThreadOrder>({ script, gone });
  let models = 0;

  return {
    /** Opens a model file, which must stay where it is. */
    open: async (path: string, layout: RowLayout): Promise<PackedSession> => {
      const model = ++models;
      let openIn: number | undefined;
      const open = async () => {
        const generation = (openIn = thread.generation());
        try {
          await thread.ask({ does: 'open', model, path, layout });
        } catch (error) {
          if (openIn === generation) openIn = undefined; // the next call tries again
          throw error;
        }
      };
      const isOpen = () => openIn === thread.generation();
      await open();
      return {
        probabilities: async (buffers, rows) => {
          if (rows === 0) return new Float32Array();
          // The thread follows orders in turn, and answers those for a model that it cannot open with the reason.
          if (!isOpen()) void open().catch(() => undefined);
          const copy = firstRows(buffers, layout, rows);
          const moved = [copy.numbers.buffer, copy.integers.buffer];
          return await thread.ask<Float32Array>({ does: 'score', model, buffers: copy, rows }, moved);
        },
        release: async () => {
          if (isOpen()) await thread.ask({ does: 'release', model });
        },
      };
    },
    /** Lets the thread finish what it was asked, and waits for its end. */
    close: thread.close,
  };
}

// A copy that can be given away: the caller uses its buffers again.
const firstRows = ({ numbers, texts, integers }: RowBuffers, layout: RowLayout, rows: number) => ({
  numbers: numbers.slice(0, rows * layout.numbers.length),
  texts: texts.slice(0, rows * layout.texts.length),
  integers: integers.slice(0, rows * layout.integers.length),
});
