import type http from 'node:http';

/** What is slower, all in all, is taken for broken. */
const BYTES_PER_MS = 64;

/**
 * Requests that come to an end: after `timeoutMs` in which no byte moved, or when the way there or back takes `timeoutMs` more
 * than its bytes do at 64 kB/s, they fail with ETIMEDOUT; an answer that had begun fails with ECONNRESET.
 */
export const boundedRequest = (request: typeof http.request, timeoutMs: number): typeof http.request =>
  ((...args: Parameters<typeof http.request>) => {
    const sent = request(...args);
    const fail = () => void sent.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    const limit = (bytes: unknown) => setTimeout(fail, timeoutMs + Number(bytes ?? 0) / BYTES_PER_MS);
    sent.setTimeout(timeoutMs, fail);
    let timer = limit(sent.getHeader('content-length'));
    sent.once('response', ({ headers }) => {
      clearTimeout(timer);
      timer = limit(headers['content-length']);
    });
    sent.once('close', () => clearTimeout(timer));
    return sent;
  }) as typeof http.request;
