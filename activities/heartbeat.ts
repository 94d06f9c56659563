import { Context } from '@temporalio/activity';

const INTERVAL_MS = 500; // also how fast a cancelled activity hears of it

/**
 * Runs `work` while heartbeating, so that a dead worker is noticed and cancellation arrives. `details` is what a retry
 * finds in `Context.current().info.heartbeatDetails`.
 */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(details?.()), INTERVAL_MS);
  try {
    return await work(context.cancellationSignal);
  } catch (error) {
    // Stopped work fails with an AbortError; `cancelled` rejects with what Temporal expects to hear.
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw error;
  } finally {
    clearInterval(beat);
  }
}
