import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { inRequestSpan } from '../tracing.ts';

export interface RequestEnv {
  Variables: { requestId: string };
}
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The caller's x-request-id when it is a plain token, else a new one. */
export const requestIdOf = (given: string | undefined): string =>
  given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();

/** Keeps the caller's x-request-id when it is a plain token; the answer carries it either way. */
export const requestId = createMiddleware<RequestEnv>(async (c, next) => {
  const id = requestIdOf(c.req.header('x-request-id'));
  c.set('requestId', id);
  c.header('x-request-id', id);
  await next();
});

/**
 * A server span per request, joined to the caller's trace (W3C traceparent); what it starts joins it in turn. Of requests
 * without a trace only this share (0 to 1) gets one.
 */
export const requestSpan = (share = 1) =>
  createMiddleware<RequestEnv>(async (c, next) => {
    const headers = { traceparent: c.req.header('traceparent'), tracestate: c.req.header('tracestate') };
    if (headers.traceparent === undefined && Math.random() >= share) return await next();
    const attributes = { 'http.request.method': c.req.method, 'anneal.request_id': c.get('requestId') };
    await inRequestSpan(c.req.method, headers, attributes, async (span) => {
      await next();
      const route = routePath(c, -1);
      span.updateName(`${c.req.method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': c.res.status });
    });
  });
