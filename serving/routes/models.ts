import { Hono } from 'hono';
import { docsRoutes } from '../../lib/http/docs-page.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { type AuthEnv, guard } from '../../auth/guard.ts';
import type { ServedSlot } from '../loaded-model.ts';
import { openApiDocument } from '../openapi.ts';
import { lineageOf, metaOf, usageOf } from '../served-models.ts';

export interface ModelRoutesDeps {
  readonly served: () => readonly ServedSlot[];
  readonly slotOf: (endpoint: string | undefined) => ServedSlot | undefined;
  readonly isKnown: (endpoint: string) => boolean;
}

/** What is served (the default model, or `?endpoint=`) and how to call it. */
export function modelRoutes({ served, slotOf, isKnown }: ModelRoutesDeps) {
  const requireSlot = (endpoint: string | undefined): ServedSlot => {
    const slot = slotOf(endpoint);
    if (slot) return slot;
    if (endpoint !== undefined && !isKnown(endpoint)) throw notFound('endpoint', endpoint);
    throw new PlatformError('UNAVAILABLE', 'no model is loaded yet');
  };
  const open = guard('public');
  const predict = guard(['predict']);
  return new Hono<AuthEnv>()
    .route('/docs', docsRoutes('Anneal serving', open))
    .get('/openapi.json', open, (c) => c.json(openApiDocument(served(), slotOf(undefined))))
    .get('/meta', predict, (c) => c.json(metaOf(requireSlot(c.req.query('endpoint')))))
    .get('/lineage', predict, (c) => c.json(lineageOf(requireSlot(c.req.query('endpoint')))))
    .get('/api/v1/predict/models', predict, (c) => {
      const initial = slotOf(undefined);
      return c.json({ models: served().map((slot) => usageOf(slot, slot === initial)) });
    });
}
