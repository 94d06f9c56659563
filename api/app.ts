import type { Registry } from 'prom-client';
import { guard, identify, requireGuards } from '../auth/guard.ts';
import type { Authenticate } from '../auth/principal.ts';
import type { IdempotencyKeyRepository } from '../db/idempotency-keys.ts';
import { docsRoutes } from '../lib/http/docs-page.ts';
import { requestId, requestSpan } from '../lib/http/request-context.ts';
import type { Logger } from '../lib/log.ts';
import { bodyLimit } from './middleware/body-limit.ts';
import { idempotency } from './middleware/idempotency.ts';
import { logging } from './middleware/logging.ts';
import { requestMetrics } from './middleware/metrics.ts';
import { answerError, answerNotFound } from './middleware/problem.ts';
import { checkHealth } from './resources/health.ts';
import { createRouter } from './router.ts';
import { type AuthDeps, authRoutes } from './routes/auth.ts';
import { type DataDeps, dataRoutes } from './routes/data.ts';
import { type DatasetsDeps, datasetRoutes } from './routes/datasets.ts';
import { type EndpointReads, endpointRoutes } from './routes/endpoints.ts';
import { type ModelsDeps, modelRoutes } from './routes/models.ts';
import { type PipelinesDeps, pipelineRoutes } from './routes/pipelines.ts';
import { type RunsDeps, runRoutes } from './routes/runs.ts';
import { type TrainDeps, trainRoutes } from './routes/train.ts';

type RouteDeps = DataDeps & TrainDeps & RunsDeps & ModelsDeps & DatasetsDeps & PipelinesDeps;
export interface ApiDeps extends Omit<RouteDeps, 'idempotent'> {
  readonly authenticate: Authenticate;
  readonly auth: AuthDeps;
  readonly endpoints: EndpointReads;
  readonly idempotencyKeys: IdempotencyKeyRepository;
  readonly log: Logger;
  readonly registry: Registry;
  readonly maxBodyBytes: number;
}
export type AppType = ReturnType<typeof createApp>;

const INFO = { title: 'Anneal', version: '1', description: 'From a CSV to a model behind an endpoint.' };
const isUpload = (method: string, path: string) => method === 'POST' && /^\/api\/v1\/datasets\/?$/.test(path);

/** The control plane as a function of what it works with. Throws when a route says nothing about who may call it. */
export function createApp(deps: ApiDeps) {
  const { log, registry, checks } = deps;
  const routeDeps = { ...deps, idempotent: idempotency(deps.idempotencyKeys, deps.now) };
  const app = createRouter();
  app.onError(answerError(log));
  app.notFound(answerNotFound);
  app.use(
    requestId,
    requestSpan,
    logging(log),
    requestMetrics(registry),
    identify(deps.authenticate),
    bodyLimit(deps.maxBodyBytes, isUpload),
  );

  const open = guard('public');
  app.get('/livez', open, (c) => c.json({ status: 'live' }));
  app.get('/readyz', open, async (c) => {
    const { status, body } = await checkHealth(checks);
    return c.json(body, status, status === 503 ? { 'retry-after': '2' } : {});
  });
  app.get('/metrics', open, async (c) =>
    c.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  );
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.get('/openapi.json', open, (c) => c.json(app.getOpenAPI31Document({ openapi: '3.1.0', info: INFO })));
  app.route('/docs', docsRoutes('Anneal API', open));

  const routed = app
    .route('/api/v1/auth', authRoutes(deps.auth))
    .route('/api/v1/data', dataRoutes(routeDeps))
    .route('/api/v1/train', trainRoutes(routeDeps))
    .route('/api/v1/runs', runRoutes(routeDeps))
    .route('/api/v1/models', modelRoutes(routeDeps))
    .route('/api/v1/datasets', datasetRoutes(routeDeps))
    .route('/api/v1/pipelines', pipelineRoutes(routeDeps))
    .route('/api/v1/endpoints', endpointRoutes(routeDeps));
  requireGuards(routed);
  return routed;
}
