import { Hono } from 'hono';
import { docsRoutes } from '../../lib/http/docs-page.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import type { RequestEnv } from '../../lib/http/request-context.ts';
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
  return new Hono<RequestEnv>()
    .route('/docs', docsRoutes('Anneal serving'))
    .get('/openapi.json', (c) => c.json(openApiDocument(served(), slotOf(undefined))))
    .get('/meta', (c) => c.json(metaOf(requireSlot(c.req.query('endpoint')))))
    .get('/lineage', (c) => c.json(lineageOf(requireSlot(c.req.query('endpoint')))))
    .get('/api/v1/predict/models', (c) => {
      const initial = slotOf(undefined);
      return c.json({ models: served().map((slot) => usageOf(slot, slot === initial)) });
    });
}
