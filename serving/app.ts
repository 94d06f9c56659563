import { Hono } from 'hono';
import { type AuthEnv, identify, requireGuards } from '../auth/guard.ts';
import type { Authenticate } from '../auth/principal.ts';
import { type CallerRates, limitCallers } from '../auth/rates.ts';
import { allowOrigins, answersAreData } from '../lib/http/browser-rules.ts';
import { setClientAddress } from '../lib/http/set-client-address.ts';
import { createFinalFirstRouter } from '../lib/http/final-first-router.ts';
import { answerProblem, toProblem } from '../lib/http/problem.ts';
import { requestId, requestSpan } from '../lib/http/request-context.ts';
import { refuseUnrouted } from '../lib/http/unrouted.ts';
import type { Snapshot } from '../lib/exposition.ts';
import type { Logger } from '../lib/log.ts';
import type { ServedSlot } from './served-slot.ts';
import type { ModelSlots } from './model-slots.ts';
import type { InFlight } from './in-flight.ts';
import { createInfer } from './open-inference/infer.ts';
import type { RequestLimits } from './openapi.ts';
import { createPredictor, type PredictorDeps } from './predict.ts';
import { createPredictionFront } from './prediction-front.ts';
import type { Explainer } from './explain/explainer.ts';
import { createExplainedPredictor } from './explain/explained-predictor.ts';
import type { PredictionLog } from './prediction-log/record.ts';
import { healthRoutes } from './routes/health.ts';
import { modelRoutes } from './routes/models.ts';
import { inferRoutes, openInferenceRoutes, problemAt } from './routes/open-inference.ts';
import { predictRoutes } from './routes/predict.ts';
import type { ServingMetrics } from './serving-metrics.ts';

export interface ServingDeps {
  readonly slots: Pick<ModelSlots<ServedSlot>, 'names' | 'get' | 'use'>;
  /** Slot of the default model; null while there is none. */
  readonly defaultSlot: () => string | null;
  /** Does an endpoint of that name exist? Also true while nobody can tell. */
  readonly isKnown: (endpoint: string) => boolean;
  /** What the default model follows. */
  readonly modelUri: string;
  /** Why the process should get no requests; null when it should. */
  readonly notReady: () => string | null;
  readonly metrics: ServingMetrics;
  /** All metrics. */
  readonly scrape: () => Promise<Snapshot>;
  /** Has what is answered before it is answered. */
  readonly predictionLog: PredictionLog;
  readonly explain: Explainer['explain'];
  readonly batchThread: PredictorDeps['batchThread'];
  readonly inFlight: InFlight;
  /** Of the requests without a trace, how many get one: 0 to 1. */
  readonly traceShare: number;
  readonly log: Pick<Logger, 'error'>;
  readonly limits: RequestLimits;
  readonly enableBoom: boolean;
  readonly authenticate: Authenticate;
  readonly rates: CallerRates;
  /** Whose X-Forwarded-For is believed: addresses and networks. */
  readonly trustedProxies: readonly string[];
  /** Whose pages may call; see `allowOrigins`. */
  readonly corsOrigins: readonly string[];
}

/** The data plane's HTTP side: predictions, what answers them, health and metrics. Throws for a route without a policy. */
export function createServingApp(deps: ServingDeps) {
  const { slots, defaultSlot, isKnown, metrics, limits, log } = deps;
  const served = () => slots.names().map((name) => slots.get(name)!);
  const slotOf = (endpoint: string | undefined) => {
    const name = endpoint ?? defaultSlot();
    return name === null ? undefined : slots.get(name);
  };
  const scoring = { log: deps.predictionLog, maxRows: limits.maxRows, onScored: metrics.scored };
  const predictor = createPredictor({ ...scoring, slots, defaultSlot, isKnown, batchThread: deps.batchThread });
  const explained = createExplainedPredictor({ ...scoring, predictor, explain: deps.explain });
  const front = createPredictionFront({ ...deps, slotOf });
  const infer = createInfer({ predictor, maxRows: limits.maxRows });

  // Not strict: a slash at the end of a path changes nothing.
  const app = new Hono<AuthEnv>({ strict: false, router: createFinalFirstRouter() });
  app.onError((error, c) => {
    c.error = error; // Hono does so only where there is middleware
    const problem = toProblem(error, c.get('requestId'));
    if (problem.status === 500) log.error({ err: error, request_id: problem.request_id }, 'request failed');
    return answerProblem(c, problemAt(c.req.path, problem));
  });
  app.notFound(refuseUnrouted(app));
  app
    // Before the middleware, whose work the front does for them.
    .route('/', predictRoutes({ front, predictor, explained, limits }))
    .route('/', inferRoutes({ front, infer, maxBodyBytes: limits.maxBodyBytes }))
    .use(requestId)
    .use(requestSpan(deps.traceShare))
    .use(setClientAddress(deps.trustedProxies))
    .use(answersAreData)
    .use(allowOrigins(deps.corsOrigins))
    .use(identify(deps.authenticate))
    .use(limitCallers(deps.rates))
    .route('/', healthRoutes(deps))
    .route('/', modelRoutes({ served, slotOf, isKnown, limits }))
    .route('/', openInferenceRoutes({ slotOf, isKnown, notReady: deps.notReady }));
  requireGuards(app);
  return app;
}
