import { HTTPException } from 'hono/http-exception';
import { createCalledThread } from '../../lib/called-thread.ts';
import { PlatformError } from '../../lib/errors.ts';
import type { PredictionCall } from '../prediction-front.ts';
import type {
  BatchAnswer,
  BatchBody,
  BatchOrder,
  BatchSource,
  BatchThreadSettings,
  ParsedBatch,
} from './batch-orders.ts';

export type BatchThread = ReturnType<typeof createBatchThread>;

// What may wait for the thread, over all requests: some tenths of a second of its time.
const MAX_WAITING_BYTES = 128 * 2 ** 20;

/**
 * Answers batches beside the event loop: the body goes to a thread as bytes, and the answer comes back as bytes. Rejects
 * with UNAVAILABLE when too much waits.
 */
export function createBatchThread(settings: BatchThreadSettings) {
  const thread = createCalledThread<BatchOrder>({
    script: new URL('batch-thread-worker.ts', import.meta.url),
    settings,
    gone: 'the thread that scores batches has ended; try again',
  });
  let waitingBytes = 0;
  let waiting = 0;
  let jobs = 0;

  const answer = async (source: BatchSource, body: BatchBody, call: PredictionCall, charge: Charge) => {
    const job = ++jobs;
    const bytes = ownBytes(body.bytes);
    const parsed = await thread.ask<ParsedBatch>({ does: 'parse', job, body: { ...body, bytes } }, [bytes.buffer]);
    if ('badRequest' in parsed) throw new HTTPException(400, { message: parsed.badRequest });
    try {
      await charge(parsed.rows);
    } catch (error) {
      await thread.ask({ does: 'drop', job });
      throw error;
    }
    const { requestId, traceId, caller, arrivedMs } = call;
    const request = { requestId, traceId, caller, arrivedEpochMs: performance.timeOrigin + arrivedMs };
    const { endpoint, revision, model } = source;
    const order = { does: 'score', job, source: { endpoint, revision, model }, request } as const;
    return { rows: parsed.rows, answer: await thread.ask<BatchAnswer>(order) };
  };

  return {
    /** @param charge is told the number of rows before they are scored, and may throw */
    answer: async (source: BatchSource, body: BatchBody, call: PredictionCall, charge: Charge) => {
      const { byteLength } = body.bytes;
      if (waitingBytes + byteLength > MAX_WAITING_BYTES) throw busy();
      waitingBytes += byteLength;
      waiting++;
      try {
        return await answer(source, body, call, charge);
      } finally {
        waitingBytes -= byteLength;
        waiting--;
      }
    },
    /** Batches that wait for their answer. */
    depth: () => waiting,
    close: thread.close,
  };
}
type Charge = (rows: number) => Promise<void>;

/** Bytes that can be given away: a body of one chunk is a view of memory that the socket goes on using. */
const ownBytes = (bytes: Uint8Array<ArrayBuffer>) =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

const busy = () =>
  new PlatformError('UNAVAILABLE', 'too many batches wait to be scored; try again', { retryAfterSeconds: 2 });
