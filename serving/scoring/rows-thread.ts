import { Worker } from 'node:worker_threads';
import { PlatformError } from '../../lib/errors.ts';
import type { PackedSession } from './packed-session.ts';
import type { RowBuffers, RowLayout } from './row-buffers.ts';
import type { RowsThreadAnswer, RowsThreadCall, RowsThreadOrder } from './rows-thread-worker.ts';

export type RowsThread = ReturnType<typeof createRowsThread>;

interface Waiting {
  resolve(this: void, probabilities: Float32Array | null): void;
  reject(this: void, error: Error): void;
}
type Thread = ReturnType<typeof startThread>;

/**
 * Scores models whose rows take too long for the event loop on a thread, which starts when the first is opened. When it
 * ends unasked, what waits is rejected with UNAVAILABLE, and the next call starts another one.
 */
export function createRowsThread(script = new URL('rows-thread-worker.ts', import.meta.url)) {
  let current: Thread | undefined;
  let models = 0;
  const running = () => (current?.isRunning() ? current : (current = startThread(script)));

  return {
    /** Opens a model file, which must stay where it is. */
    open: async (path: string, layout: RowLayout): Promise<PackedSession> => {
      const model = ++models;
      let home: Thread | undefined;
      const openOn = async (thread: Thread) => {
        home = thread;
        try {
          await thread.ask({ does: 'open', model, path, layout });
        } catch (error) {
          if (home === thread) home = undefined; // the next call tries again
          throw error;
        }
      };
      await openOn(running());
      return {
        probabilities: async (buffers, rows) => {
          if (rows === 0) return new Float32Array();
          // The thread follows orders in turn, and answers those for a model that it cannot open with the reason.
          if (!home?.isRunning()) void openOn(running()).catch(() => undefined);
          const copy = firstRows(buffers, layout, rows);
          const order = { does: 'score', model, buffers: copy, rows } as const;
          return (await home!.ask(order, [copy.numbers.buffer, copy.integers.buffer]))!;
        },
        release: async () => {
          if (home?.isRunning()) await home.ask({ does: 'release', model });
        },
      };
    },
    /** Lets the thread finish what it was asked, and waits for its end. */
    close: async (): Promise<void> => await current?.close(),
  };
}

function startThread(script: URL) {
  const worker = new Worker(script);
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let isRunning = true;
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      isRunning = false;
      const error = new PlatformError('UNAVAILABLE', 'the thread that scores this model has ended; try again shortly');
      for (const { reject } of waiting.values()) reject(error);
      resolve();
    });
  });
  worker.on('error', () => (isRunning = false)); // `exit` follows
  worker.on('message', (answer: RowsThreadAnswer) => {
    const waiter = waiting.get(answer.call);
    waiting.delete(answer.call);
    if ('error' in answer) waiter?.reject(new Error(answer.error));
    else waiter?.resolve(answer.probabilities);
  });
  return {
    isRunning: () => isRunning,
    ask: (order: RowsThreadOrder, moved: ArrayBuffer[] = []) =>
      new Promise<Float32Array | null>((resolve, reject) => {
        waiting.set(++calls, { resolve, reject });
        worker.postMessage({ call: calls, order } satisfies RowsThreadCall, moved);
      }),
    close: async () => {
      worker.postMessage(null);
      await ended;
    },
  };
}

// A copy that can be given away: the caller uses its buffers again.
const firstRows = ({ numbers, texts, integers }: RowBuffers, layout: RowLayout, rows: number) => ({
  numbers: numbers.slice(0, rows * layout.numbers.length),
  texts: texts.slice(0, rows * layout.texts.length),
  integers: integers.slice(0, rows * layout.integers.length),
});
