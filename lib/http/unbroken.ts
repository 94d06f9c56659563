import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';

/**
 * A body that is made while it is sent. When that fails in the middle the connection is cut: nobody takes a part for the
 * whole, and nobody reads why (node-server would add the error's words to the body). `onFailure` is for the log.
 */
export function unbroken(
  c: Context,
  chunks: AsyncIterable<Uint8Array>,
  onFailure: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        onFailure(error);
        // Left open: the lost connection ends it.
        (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing?.destroy();
      }
    },
    cancel: async () => void (await iterator.return?.()),
  });
}
