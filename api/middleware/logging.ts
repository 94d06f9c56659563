import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { type Logger, withLogFields } from '../../lib/log.ts';
import type { ApiEnv } from '../router.ts';

// Probes and scrapes come every few seconds and say nothing.
const QUIET = new Set(['/livez', '/readyz', '/metrics']);

/** One line per request; every line logged while it is served carries its id. */
export const logging = (log: Logger) =>
  createMiddleware<ApiEnv>((c, next) =>
    withLogFields({ request_id: c.get('requestId') }, async () => {
      const started = performance.now();
      await next();
      const level = QUIET.has(c.req.path) ? 'debug' : 'info';
      log[level](
        {
          method: c.req.method,
          path: c.req.path,
          route: routePath(c, -1),
          status: c.res.status,
          duration_ms: Math.round(performance.now() - started),
        },
        'request',
      );
    }),
  );
