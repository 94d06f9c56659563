// Less than a message to a thread and back costs.
const SMALL_BODY_BYTES = 8 * 2 ** 10;
// Reading and scoring more than this keeps the event loop from all else for too long.
const LARGE_BODY_BYTES = 64 * 2 ** 10;
// What more may wait for the thread than on the loop: while the loop is busy nobody sees what waits in its sockets.
const AHEAD = 2;

export interface Batch {
  readonly bytes: number;
  /** Is its model scored beside the event loop anyway? Then the batch thread would only open a second one. */
  readonly isHeavy: boolean;
}
export type BatchLanes = ReturnType<typeof createBatchLanes>;

/**
 * Decides where a batch is read, scored and logged: on the event loop or on a thread beside it. Those in between go where
 * fewer wait, to the thread first: single rows have the loop for themselves until it is busy, and then both work.
 */
export function createBatchLanes({ depth }: { readonly depth: () => number }) {
  let onLoop = 0;
  return async <T>({ bytes, isHeavy }: Batch, loop: () => Promise<T>, thread: () => Promise<T>): Promise<T> => {
    if (bytes > LARGE_BODY_BYTES) return await thread();
    if (bytes > SMALL_BODY_BYTES && !isHeavy && depth() <= onLoop + AHEAD) return await thread();
    onLoop++;
    try {
      return await loop();
    } finally {
      onLoop--;
    }
  };
}
