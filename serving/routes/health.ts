import { Hono, type Context } from 'hono';
import { type AuthEnv, guard } from '../../auth/guard.ts';
import { expose, type Snapshot } from '../../lib/exposition.ts';

export interface HealthRoutesDeps {
  readonly modelUri: string;
  /** Why the process should get no requests; null when it should. */
  readonly notReady: () => string | null;
  readonly scrape: () => Promise<Snapshot>;
  readonly enableBoom: boolean;
}

export function healthRoutes({ modelUri, notReady, scrape, enableBoom }: HealthRoutesDeps) {
  const answer = (c: Context, more: object = {}) => {
    const reason = notReady();
    if (reason === null) return c.json({ status: 'ok', ...more });
    return c.json({ status: 'not_ready', reason, ...more }, 503, { 'retry-after': '2' });
  };
  const health = (c: Context) => answer(c, { model_uri: modelUri });

  const open = guard('public');
  const app = new Hono<AuthEnv>()
    .get('/health', open, health)
    .get('/api/v1/predict/health', open, health)
    .get('/livez', open, (c) => c.json({ status: 'ok' }))
    .get('/readyz', open, (c) => answer(c))
    .get('/metrics', open, async (c) => {
      const { contentType, text } = await expose(await scrape(), c.req.header('accept'));
      return c.body(text, 200, { 'content-type': contentType });
    });
  if (enableBoom) {
    app.get('/boom', guard(['predict']), () => {
      throw new Error('boom: asked for');
    });
  }
  return app;
}
