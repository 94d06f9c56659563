import type { Registry } from 'prom-client';
import { guard, identify, requireGuards } from '../auth/guard.ts';
import type { Authenticate } from '../auth/principal.ts';
import { limitCallers } from '../auth/rates.ts';
import type { AuditLog } from '../db/audit-log.ts';
import type { IdempotencyKeyRepository } from '../db/idempotency-keys.ts';
import { expose } from '../lib/exposition.ts';
import { allowOrigins, answersAreData } from '../lib/http/browser-rules.ts';
import { setClientAddress } from '../lib/http/set-client-address.ts';
import { docsRoutes } from '../lib/http/docs-page.ts';
import { requestId, requestSpan } from '../lib/http/request-context.ts';
import { refuseUnrouted } from '../lib/http/unrouted.ts';
import type { Logger } from '../lib/log.ts';
import { audit } from './middleware/audit.ts';
import { logging } from './middleware/logging.ts';
import { requestMetrics } from './middleware/metrics.ts';
import { answerError } from './middleware/problem.ts';
import type { ApiRates } from './rates.ts';
import { checkHealth } from './resources/health.ts';
import { createRouter } from './router.ts';
import { type AlertsDeps, alertRoutes } from './routes/alerts.ts';
import { type ApiKeysDeps, apiKeyRoutes } from './routes/api-keys.ts';
import { type AuthDeps, authRoutes } from './routes/auth.ts';
import { auditRoutes } from './routes/audit.ts';
import { type BatchPredictionsDeps, batchPredictionRoutes } from './routes/batch-predictions.ts';
import { type DataDeps, dataRoutes } from './routes/data.ts';
import { type DatasetsDeps, datasetRoutes } from './routes/datasets.ts';
import { type DriftReportsDeps, driftReportRoutes } from './routes/drift-reports.ts';
import { type EndpointDriftDeps, endpointDriftRoutes } from './routes/endpoint-drift.ts';
import { type EndpointReads, endpointRoutes } from './routes/endpoints.ts';
import { type LabelsDeps, labelRoutes } from './routes/labels.ts';
import { type ModelsDeps, modelRoutes } from './routes/models.ts';
import { type PerformanceDeps, performanceRoutes } from './routes/performance.ts';
import { type PipelinesDeps, pipelineRoutes } from './routes/pipelines.ts';
import { type PredictionsDeps, predictionRoutes } from './routes/predictions.ts';
import { reportPageRoutes } from './routes/report-pages.ts';
import { type RetrainingsDeps, retrainingRoutes } from './routes/retrainings.ts';
import { type RunsDeps, runRoutes } from './routes/runs.ts';
import { type SilencesDeps, silenceRoutes } from './routes/silences.ts';
import { type TrainDeps, trainRoutes } from './routes/train.ts';
import { type UsersDeps, userRoutes } from './routes/users.ts';

type RouteDeps = DataDeps &
  TrainDeps &
  RunsDeps &
  ModelsDeps &
  DatasetsDeps &
  DriftReportsDeps &
  EndpointDriftDeps &
  LabelsDeps &
  PerformanceDeps &
  PipelinesDeps &
  PredictionsDeps &
  AlertsDeps &
  RetrainingsDeps &
  SilencesDeps &
  Omit<BatchPredictionsDeps, 'endpoints'>;
export interface ApiDeps extends RouteDeps {
  readonly auditLog: Pick<AuditLog, 'append' | 'list' | 'read'>;
  readonly authenticate: Authenticate;
  readonly auth: AuthDeps & UsersDeps & ApiKeysDeps;
  readonly endpoints: EndpointReads;
  readonly idempotencyKeys: IdempotencyKeyRepository;
  readonly log: Logger;
  readonly registry: Registry;
  readonly maxBodyBytes: number;
  readonly rates: ApiRates;
  /** Whose X-Forwarded-For is believed: addresses and networks. */
  readonly trustedProxies: readonly string[];
  /** Whose pages may call; see `allowOrigins`. */
  readonly corsOrigins: readonly string[];
}
export type AppType = ReturnType<typeof createApp>;

const INFO = { title: 'Anneal', version: '1', description: 'From a CSV to a model behind an endpoint.' };

/** The control plane as a function of what it works with. Throws when a route says nothing about who may call it. */
export function createApp(deps: ApiDeps) {
  const { log, registry, checks } = deps;
  const app = createRouter();
  app.onError(answerError(log));
  app.notFound(refuseUnrouted(app));
  app.use(
    requestId,
    requestSpan(),
    setClientAddress(deps.trustedProxies),
    answersAreData,
    logging(log),
    requestMetrics(registry),
    allowOrigins(deps.corsOrigins),
    identify(deps.authenticate),
    limitCallers(deps.rates),
    audit(deps.auditLog, log),
  );
  app.use(async (c, next) => {
    c.set('maxBodyBytes', deps.maxBodyBytes);
    c.set('idempotencyKeys', deps.idempotencyKeys);
    c.set('anonymousRate', deps.rates.anonymous);
    await next();
  });

  const open = guard('public');
  app.get('/livez', open, (c) => c.json({ status: 'live' }));
  app.get('/readyz', open, async (c) => {
    const { status, body } = await checkHealth(checks);
    return c.json(body, status, status === 503 ? { 'retry-after': '2' } : {});
  });
  app.get('/metrics', open, async (c) => {
    const { contentType, text } = await expose(await registry.getMetricsAsJSON(), c.req.header('accept'));
    return c.body(text, 200, { 'content-type': contentType });
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.get('/openapi.json', open, (c) => c.json(app.getOpenAPI31Document({ openapi: '3.1.0', info: INFO })));
  app.route('/docs', docsRoutes('Anneal API', open));

  const routed = app
    .route('/api/v1/auth', authRoutes(deps.auth))
    .route('/api/v1/auth/users', userRoutes(deps.auth))
    .route('/api/v1/auth/api-keys', apiKeyRoutes(deps.auth))
    .route('/api/v1/audit', auditRoutes(deps))
    .route('/api/v1/data', dataRoutes(deps))
    .route('/api/v1/train', trainRoutes(deps))
    .route('/api/v1/runs', runRoutes(deps))
    .route('/api/v1/batch-predictions', batchPredictionRoutes(deps))
    .route('/api/v1/models', modelRoutes(deps))
    .route('/api/v1/datasets', datasetRoutes(deps))
    .route('/api/v1/pipelines', pipelineRoutes(deps))
    .route('/api/v1/endpoints', endpointRoutes(deps))
    .route('/api/v1/endpoints', endpointDriftRoutes(deps))
    .route('/api/v1/endpoints', performanceRoutes(deps))
    .route('/api/v1/predictions', predictionRoutes(deps))
    .route('/api/v1/labels', labelRoutes(deps))
    .route('/api/v1/alerts', alertRoutes(deps))
    .route('/api/v1/silences', silenceRoutes(deps))
    .route('/api/v1/retrainings', retrainingRoutes(deps))
    .route('/api/v1/drift-reports', driftReportRoutes(deps))
    .route('/reports', reportPageRoutes(deps));
  requireGuards(routed);
  return routed;
}
