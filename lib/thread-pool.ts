import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { outputOf, type TaskOutcome } from './task-outcome.ts';

export interface RunOptions<Progress> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /**
   * `terminate` kills the thread, at once, also inside a synchronous loop. A thread that has loaded a native library
   * (DuckDB, ONNX Runtime) aborts the whole process when killed: its work is `abandon`ed, and finishes unheard.
   */
  readonly onAbort: 'terminate' | 'abandon';
}
export interface ThreadPool {
  run<Input, Output, Progress = never>(name: string, input: Input, options: RunOptions<Progress>): Promise<Output>;
  /** Waits for running tasks. */
  close(): Promise<void>;
}

/** @param entry URL of a module whose exports are `threadTask`s @param settings what its threads find as `workerData` */
export function createThreadPool(entry: URL, threads: number, settings: unknown): ThreadPool {
  const pool = new Piscina({
    filename: entry.href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: 60_000,
    workerData: settings,
  });
  return {
    run: async <Input, Output, Progress>(name: string, input: Input, options: RunOptions<Progress>) => {
      const { port1, port2 } = new MessageChannel();
      if (options.onProgress) port1.on('message', options.onProgress);
      try {
        const signal = options.onAbort === 'terminate' ? options.signal : undefined;
        const running = pool.run({ input, port: port2 }, { name, signal, transferList: [port2] });
        return outputOf((await orAborted(running, options.signal)) as TaskOutcome) as Output;
      } finally {
        port1.close();
      }
    },
    close: () => pool.close(),
  };
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => undefined); // abandoned work may still fail, unheard
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop!);
  }
}
