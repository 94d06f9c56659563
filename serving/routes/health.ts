import { Hono, type Context } from 'hono';
import { notFound } from '../../lib/errors.ts';
import type { RequestEnv } from '../../lib/http/request-context.ts';
import type { ServingMetrics } from '../serving-metrics.ts';

export interface HealthRoutesDeps {
  readonly modelUri: string;
  /** Why the process should get no requests; null when it should. */
  readonly notReady: () => string | null;
  readonly metrics: Pick<ServingMetrics, 'text' | 'contentType'>;
  readonly enableBoom: boolean;
}

export function healthRoutes({ modelUri, notReady, metrics, enableBoom }: HealthRoutesDeps) {
  const answer = (c: Context, more: object = {}) => {
    const reason = notReady();
    if (reason === null) return c.json({ status: 'ok', ...more });
    return c.json({ status: 'not_ready', reason, ...more }, 503, { 'retry-after': '2' });
  };
  const health = (c: Context) => answer(c, { model_uri: modelUri });

  return new Hono<RequestEnv>()
    .get('/health', health)
    .get('/api/v1/predict/health', health)
    .get('/livez', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) => answer(c))
    .get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }))
    .get('/boom', (c) => {
      if (!enableBoom) throw notFound('route', c.req.path);
      throw new Error('boom: asked for');
    });
}
