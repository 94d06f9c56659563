import './no-telemetry.ts';
import { Worker } from 'node:worker_threads';
import { PlatformError } from './errors.ts';
import { outputOf, type TaskOutcome } from './task-outcome.ts';

/** What the thread gets; null asks it to end. */
export type ThreadCall<Order> = { readonly call: number; readonly order: Order } | null;
export type ThreadReply = { readonly call: number } & ({ readonly outcome: TaskOutcome } | { readonly bug: unknown });

export interface CalledThreadOptions {
  /** A module that runs `answerCalls` (lib/answer-calls.ts). */
  readonly script: URL;
  readonly settings?: unknown;
  /** Says what is away when the thread ended unasked. */
  readonly gone: string;
}
/** A thread that may keep things open between calls. */
export interface CalledThread<Order> {
  /** Counts the threads that have ended: what was opened in an earlier generation is gone. */
  readonly generation: () => number;
  /** Rejects with the PlatformError of the work, or UNAVAILABLE when the thread ended before it answered. */
  ask<Output>(this: void, order: Order, moved?: readonly ArrayBuffer[]): Promise<Output>;
  /** Lets it finish what it was asked, and waits for its end. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread of its own for one kind of work, started at the first call and again when it has ended. It is never killed:
 * with a native library in it, that would end the process.
 */
export function createCalledThread<Order>({ script, settings, gone }: CalledThreadOptions): CalledThread<Order> {
  let running: { worker: Worker; waiting: Map<number, Waiting>; ended: Promise<void> } | undefined;
  let [generation, calls] = [0, 0];

  const start = () => {
    const worker = new Worker(script, { workerData: settings });
    const waiting = new Map<number, Waiting>();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    worker.on('error', () => undefined); // `exit` follows
    worker.once('exit', () => {
      running = undefined;
      generation++;
      for (const { reject } of waiting.values()) reject(new PlatformError('UNAVAILABLE', gone));
      resolve();
    });
    worker.on('message', (reply: ThreadReply) => {
      const waiter = waiting.get(reply.call)!;
      waiting.delete(reply.call);
      if ('bug' in reply) return waiter.reject(reply.bug);
      try {
        waiter.resolve(outputOf(reply.outcome) as never);
      } catch (error) {
        waiter.reject(error);
      }
    });
    return { worker, waiting, ended };
  };

  return {
    generation: () => generation,
    ask: <Output>(order: Order, moved: readonly ArrayBuffer[] = []) =>
      new Promise<Output>((resolve, reject) => {
        running ??= start();
        const call = ++calls;
        running.waiting.set(call, { resolve, reject });
        running.worker.postMessage({ call, order } satisfies ThreadCall<Order>, moved);
      }),
    close: async () => {
      running?.worker.postMessage(null);
      await running?.ended;
    },
  };
}
