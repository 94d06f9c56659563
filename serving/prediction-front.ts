import type { HttpBindings } from '@hono/node-server';
import type { Context, Handler, MiddlewareHandler } from 'hono';
import { type AuthEnv, callerOf, declareAccess, requireAccess, unauthenticated } from '../auth/guard.ts';
import { actorOf, type Authenticate, type Principal, requireEndpoint } from '../auth/principal.ts';
import { type CallerRates, takeRequest } from '../auth/rates.ts';
import { PlatformError } from '../lib/errors.ts';
import { allowOrigins, DATA_HEADERS } from '../lib/http/browser-rules.ts';
import { createAddressReader } from '../lib/http/client-address.ts';
import { toProblem } from '../lib/http/problem.ts';
import { requestIdOf } from '../lib/http/request-context.ts';
import { startRequestSpan } from '../lib/tracing.ts';
import type { InFlight } from './in-flight.ts';
import type { ServedSlot } from './served-slot.ts';
import type { ServingMetrics } from './serving-metrics.ts';

export interface PredictionFrontDeps {
  readonly authenticate: Authenticate;
  readonly rates: CallerRates;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly inFlight: InFlight;
  /** Of the requests without a trace, how many get one: 0 to 1. */
  readonly traceShare: number;
  readonly metrics: Pick<ServingMetrics, 'answered' | 'failed'>;
  /** The slot that would answer for an endpoint, or by default. */
  readonly slotOf: (endpoint: string | undefined) => ServedSlot | undefined;
}
/** A prediction request that was let in. */
export interface PredictionCall {
  /** As asked for; undefined for the default model. */
  readonly endpoint: string | undefined;
  readonly principal: Principal;
  readonly caller: string;
  readonly requestId: string;
  readonly traceId: string | null;
  /** `performance.now()` at its arrival. */
  readonly arrivedMs: number;
  /** Takes more from the caller's rate than the one that every request costs. Throws RATE_LIMITED. */
  readonly charge: (cost: number) => Promise<void>;
  /** For the answer. */
  readonly header: (name: string, value: string) => void;
}
/** What answers it: the text or bytes of the body, JSON unless it sets another content-type. */
export type AnswerPrediction = (c: Context<AuthEnv, string>, call: PredictionCall) => Promise<string | Uint8Array>;
export type PredictionFront = ReturnType<typeof createPredictionFront>;

/**
 * What stands before every prediction, in one function: request id, span, caller, rates, room, headers, metrics. As
 * middleware, each layer of it touching the headers on its own, it cost three times what the model does.
 */
export function createPredictionFront(deps: PredictionFrontDeps) {
  const { authenticate, rates, inFlight, metrics, slotOf } = deps;
  const addressOf = createAddressReader(deps.trustedProxies);
  const crossOrigin: MiddlewareHandler<AuthEnv> | null =
    deps.corsOrigins.length > 0 ? allowOrigins(deps.corsOrigins) : null;

  const letIn = async (c: Context<AuthEnv, string>, header: PredictionCall['header']) => {
    const address = addressOf(incomingOf(c)?.socket.remoteAddress, headerOf(c, 'x-forwarded-for'));
    const credential = c.req.header('authorization');
    const limited = await takeRequest({ header }, rates, address, () => callerOf(credential, authenticate));
    if (!limited) throw unauthenticated();
    requireAccess(['predict'], limited.principal);
    return limited;
  };

  const answer = async (c: Context<AuthEnv, string>, work: AnswerPrediction): Promise<Response> => {
    const arrivedMs = performance.now();
    const requestId = requestIdOf(headerOf(c, 'x-request-id'));
    c.set('requestId', requestId);
    const headers: Record<string, string> = { ...ANSWER_HEADERS, 'x-request-id': requestId };
    const header = (name: string, value: string) => void (headers[name] = value);
    const endpoint = c.req.param('endpoint') ?? c.req.query('endpoint');
    const slot = slotOf(endpoint);
    const { method, path } = c.req;
    const span = startRequestSpan({ method, path, header: (name) => headerOf(c, name) }, requestId, deps.traceShare);
    let status = 200;
    try {
      if (!inFlight.enter()) throw busy();
      try {
        const { principal, charge } = await letIn(c, header);
        requireEndpoint(principal, slot?.endpoint ?? endpoint ?? null);
        const traceId = span.traceId;
        const call = { endpoint, principal, caller: actorOf(principal), requestId, traceId, arrivedMs, charge, header };
        return new Response((await work(c, call)) as string, { status, headers });
      } finally {
        inFlight.leave();
      }
    } catch (error) {
      const problem = toProblem(error, requestId);
      status = problem.status;
      metrics.failed(slot, problem.code);
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
      throw error;
    } finally {
      span.end(status);
      metrics.answered(slot, status, (performance.now() - arrivedMs) / 1000, span.recorded ? span.traceId : null);
    }
  };

  /** A handler that answers through `work` whoever may predict. */
  return (work: AnswerPrediction): Handler<AuthEnv> =>
    declareAccess(['predict'] as const, async (c: Context<AuthEnv, string>) => {
      if (!crossOrigin) return await answer(c, work);
      await crossOrigin(c, async () => void (c.res = await answer(c, work)));
      return c.res;
    });
}

const incomingOf = (c: Context<AuthEnv, string>) => (c.env as Partial<HttpBindings> | undefined)?.incoming;

/** A header that Node joins as Hono does, read where Node has sorted them: Hono looks through all for each. */
const headerOf = (
  c: Context<AuthEnv, string>,
  name: 'x-request-id' | 'x-forwarded-for' | 'traceparent' | 'tracestate',
): string | undefined => {
  const incoming = incomingOf(c);
  return incoming ? (incoming.headers[name] as string | undefined) : c.req.header(name);
};

const ANSWER_HEADERS = { ...DATA_HEADERS, 'cache-control': 'no-store', 'content-type': 'application/json' };

const busy = () =>
  new PlatformError('UNAVAILABLE', 'too many requests are being answered; try again', { retryAfterSeconds: 1 });
