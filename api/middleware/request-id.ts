import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { invalid, type ApiEnv } from '../router.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const ACTOR = /^[\x21-\x7e][\x20-\x7e]{0,99}$/;

/** Keeps the caller's x-request-id when it is a plain token; the answer carries it either way. */
export const requestId = createMiddleware<ApiEnv>(async (c, next) => {
  const given = c.req.header('x-request-id');
  const id = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
  c.set('requestId', id);
  c.header('x-request-id', id);
  await next();
});

/** Names the caller by the x-actor header. */
export const actor = createMiddleware<ApiEnv>(async (c, next) => {
  const given = c.req.header('x-actor') ?? 'anonymous';
  if (!ACTOR.test(given))
    throw invalid([{ path: 'x-actor', rule: 'pattern', message: '1 to 100 printable characters' }]);
  c.set('actor', given);
  await next();
});
