import { parentPort } from 'node:worker_threads';
import { outcomeOf } from './task-outcome.ts';
import type { ThreadCall, ThreadReply } from './called-thread.ts';

/** What a call gives back, and the buffers in it that are handed over instead of copied. */
export interface Answered {
  readonly output: unknown;
  readonly moved?: readonly ArrayBuffer[];
}

/**
 * The thread's side of lib/called-thread.ts. Calls may overlap where `answer` waits. When it is asked to end, `close`
 * releases what is open after the last answer.
 */
export function answerCalls<Order>(answer: (order: Order) => Promise<Answered>, close: () => Promise<void>): void {
  const port = parentPort!;
  const answering = new Set<Promise<void>>();
  const reply = async (call: number, order: Order) => {
    let moved: readonly ArrayBuffer[] = [];
    const give = (message: ThreadReply) => port.postMessage(message, moved);
    try {
      const outcome = await outcomeOf(async () => {
        const answered = await answer(order);
        moved = answered.moved ?? [];
        return answered.output;
      });
      give({ call, outcome });
    } catch (bug) {
      give({ call, bug });
    }
  };
  port.on('message', (message: ThreadCall<Order>) => {
    if (message === null) {
      void Promise.all(answering)
        .then(close)
        .finally(() => port.close());
      return;
    }
    const replied = reply(message.call, message.order).finally(() => answering.delete(replied));
    answering.add(replied);
  });
}
