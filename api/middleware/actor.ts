import { createMiddleware } from 'hono/factory';
import { invalid, type ApiEnv } from '../router.ts';

const ACTOR = /^[\x21-\x7e][\x20-\x7e]{0,99}$/;

/** Names the caller by the x-actor header. */
export const actor = createMiddleware<ApiEnv>(async (c, next) => {
  const given = c.req.header('x-actor') ?? 'anonymous';
  if (!ACTOR.test(given))
    throw invalid([{ path: 'x-actor', rule: 'pattern', message: '1 to 100 printable characters' }]);
  c.set('actor', given);
  await next();
});
