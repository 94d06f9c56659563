import { setTimeout as delay } from 'node:timers/promises';
import { notFound, PlatformError } from '../errors.ts';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 200;
const MISSING = new Set(['NotFound', 'NoSuchKey']);
const PASSING = new Set(['ECONNRESET', 'EPIPE']);

/** S3's word for what failed, the system's, or the HTTP status; undefined when nobody said. */
export const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code ?? statusOf(error);

export const isMissing = (error: unknown) => MISSING.has(codeOf(error) ?? '');

/**
 * Sends a request up to three times: a busy server (429, 5xx) or a connection that it closed says nothing about the next
 * time. The client's own retries would write to standard error, and know nothing of connections.
 */
export async function retried<T>(request: () => Promise<T>): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    try {
      return await request();
    } catch (error) {
      const passing = statusOf(error) !== undefined || PASSING.has(codeOf(error) ?? '');
      if (!passing || pause > LAST_PAUSE_MS) throw error;
      await delay(pause);
    }
  }
}

/** Failures as the store tells them: NOT_FOUND with `name`, else UNAVAILABLE. */
export async function guarded<T>(work: () => Promise<T>, name?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    if (name !== undefined && isMissing(error)) throw notFound('artifact', name);
    // The message may name the host: that stays in the cause.
    const code = codeOf(error) ?? 'no answer';
    throw new PlatformError('UNAVAILABLE', `the object store cannot be used (${code})`, { cause: error });
  }
}

/** The client has no type for the statuses that it would retry. */
function statusOf(error: unknown): string | undefined {
  const status = /Retryable HTTP status: (\d{3})/.exec((error as Error).message)?.[1];
  return status && `HTTP ${status}`;
}
