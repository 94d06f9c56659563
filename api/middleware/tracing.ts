import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { inRequestSpan } from '../../lib/tracing.ts';
import type { ApiEnv } from '../router.ts';

/** A server span per request, joined to the caller's trace; the workflows it starts join it in turn. */
export const tracing = createMiddleware<ApiEnv>(async (c, next) => {
  const headers = { traceparent: c.req.header('traceparent'), tracestate: c.req.header('tracestate') };
  const attributes = { 'http.request.method': c.req.method, 'anneal.request_id': c.get('requestId') };
  await inRequestSpan(c.req.method, headers, attributes, async (span) => {
    await next();
    const route = routePath(c, -1);
    span.updateName(`${c.req.method} ${route}`);
    span.setAttributes({ 'http.route': route, 'http.response.status_code': c.res.status });
  });
});
