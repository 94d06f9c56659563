import { bodyLimit as limit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { PlatformError } from '../../lib/errors.ts';
import type { ApiEnv } from '../router.ts';

export const tooLarge = (maxBytes: number) =>
  new PlatformError('TOO_LARGE', `the body is larger than ${maxBytes} bytes`);

/** Refuses a larger body with 413, whether its length is announced or it comes in chunks. Uploads have their own limit. */
export function bodyLimit(maxBytes: number, isUpload: (method: string, path: string) => boolean) {
  const limited = limit({
    maxSize: maxBytes,
    onError: () => {
      throw tooLarge(maxBytes);
    },
  });
  return createMiddleware<ApiEnv>((c, next) => (isUpload(c.req.method, c.req.path) ? next() : limited(c, next)));
}
