import { Hono, type Context } from 'hono';
import { docsRoutes } from '../../lib/http/docs-page.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { type AuthEnv, guard } from '../../auth/guard.ts';
import { isAllowed, mayUseEndpoint, type Principal, requireEndpoint } from '../../auth/principal.ts';
import type { ServedSlot } from '../served-slot.ts';
import { openApiDocument, type RequestLimits } from '../openapi.ts';
import { lineageOf, metaOf, usageOf } from '../served-models.ts';

export interface ModelRoutesDeps {
  readonly served: () => readonly ServedSlot[];
  readonly slotOf: (endpoint: string | undefined) => ServedSlot | undefined;
  readonly isKnown: (endpoint: string) => boolean;
  readonly limits: RequestLimits;
}
const PREDICT = ['predict'] as const;

/** What is served (the default model, or `?endpoint=`) and how to call it. */
export function modelRoutes({ served, slotOf, isKnown, limits }: ModelRoutesDeps) {
  const requireSlot = (c: Context<AuthEnv>): ServedSlot => {
    const endpoint = c.req.query('endpoint');
    const slot = slotOf(endpoint);
    requireEndpoint(c.get('principal'), slot?.endpoint ?? endpoint ?? null);
    if (slot) return slot;
    if (endpoint !== undefined && !isKnown(endpoint)) throw notFound('endpoint', endpoint);
    throw new PlatformError('UNAVAILABLE', 'no model is loaded yet');
  };
  const servedTo = (principal: Principal) => served().filter(({ endpoint }) => mayUseEndpoint(principal, endpoint));

  const open = guard('public');
  const predict = guard(PREDICT);
  return new Hono<AuthEnv>()
    .route('/docs', docsRoutes('Anneal serving', open))
    .get('/openapi.json', open, async (c) => {
      c.header('cache-control', 'no-store');
      const principal = await readerOf(c);
      const slots = principal ? servedTo(principal) : [];
      const initial = slotOf(undefined);
      return c.json(openApiDocument(slots, slots.includes(initial!) ? initial : undefined, limits));
    })
    .get('/meta', predict, (c) => c.json(metaOf(requireSlot(c))))
    .get('/lineage', predict, (c) => c.json(lineageOf(requireSlot(c))))
    .get('/api/v1/predict/models', predict, (c) => {
      const initial = slotOf(undefined);
      return c.json({ models: servedTo(c.get('principal')).map((slot) => usageOf(slot, slot === initial)) });
    });
}

/** Who may see the features of what is served, which come from training data; null for everybody else. */
async function readerOf(c: Context<AuthEnv>): Promise<Principal | null> {
  const principal = await c
    .get('identity')()
    .catch(() => null);
  return principal && isAllowed(PREDICT, principal) ? principal : null;
}
