import { setTimeout as delay } from 'node:timers/promises';
import type { SSEStreamingApi } from 'hono/streaming';
import { isFinal, type JobView } from './job-status.ts';

export interface EventSettings {
  /** Between two looks at the job. */
  readonly pollMs: number;
  /** Without a change a comment goes out this often, so that proxies keep the connection. */
  readonly keepAliveMs: number;
  /** Ends every stream when the process shuts down. */
  readonly stopping: AbortSignal;
}

/** One `status` event now and one per change, `end` after the final one. Returns when the reader is gone, too. */
export async function streamJob(
  stream: SSEStreamingApi,
  first: JobView,
  read: () => Promise<JobView>,
  { pollMs, keepAliveMs, stopping }: EventSettings,
): Promise<void> {
  const gone = new AbortController();
  stream.onAbort(() => gone.abort());
  const signal = AbortSignal.any([gone.signal, stopping]);
  let sent = '';
  let sentAt = performance.now();
  for (let job: JobView | null = first; !signal.aborted; job = await readSafely(read)) {
    const data = JSON.stringify(job ?? first);
    if (job && data !== sent) {
      await stream.writeSSE({ event: 'status', data });
      [sent, sentAt] = [data, performance.now()];
      if (isFinal(job)) return await stream.writeSSE({ event: 'end', data: JSON.stringify({ state: job.state }) });
    } else if (performance.now() - sentAt >= keepAliveMs) {
      await stream.write(': keep-alive\n\n');
      sentAt = performance.now();
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A server that is away for a while must not end the stream. */
const readSafely = (read: () => Promise<JobView>): Promise<JobView | null> => read().catch(() => null);
