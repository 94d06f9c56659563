import { Hono, type Context } from 'hono';
import { type AuthEnv, guard } from '../../auth/guard.ts';
import { requireEndpoint } from '../../auth/principal.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { takeBody } from '../../lib/http/body.ts';
import type { Problem } from '../../lib/http/problem.ts';
import { type Infer, requireVersion } from '../open-inference/infer.ts';
import { modelMetadata, SERVER_METADATA } from '../open-inference/metadata.ts';
import type { PredictionFront } from '../prediction-front.ts';
import type { ServedSlot } from '../served-slot.ts';

const HEADER_LENGTH = 'inference-header-content-length';

export interface InferRoutesDeps {
  readonly front: PredictionFront;
  readonly infer: Infer;
  readonly maxBodyBytes: number;
}

/** Predictions by the Open Inference Protocol V2, whose models are our endpoints. */
export function inferRoutes({ front, infer, maxBodyBytes }: InferRoutesDeps) {
  const scored = front(async (c, call) => {
    const { endpoint, version } = c.req.param() as { endpoint: string; version?: string };
    const bytes = await takeBody(c, maxBodyBytes);
    const { body, jsonBytes } = await infer(
      { bytes, headerLength: c.req.header(HEADER_LENGTH) },
      { endpoint, version },
      call,
    );
    if (jsonBytes !== null) {
      call.header('content-type', 'application/octet-stream');
      call.header(HEADER_LENGTH, String(jsonBytes));
    }
    return body;
  });
  return new Hono<AuthEnv>()
    .post('/v2/models/:endpoint/infer', scored)
    .post('/v2/models/:endpoint/versions/:version/infer', scored);
}

export interface OpenInferenceRoutesDeps {
  readonly slotOf: (endpoint: string) => ServedSlot | undefined;
  readonly isKnown: (endpoint: string) => boolean;
  /** Why the process should get no requests; null when it should. */
  readonly notReady: () => string | null;
}

/** What clients of the protocol ask before they infer. */
export function openInferenceRoutes({ slotOf, isKnown, notReady }: OpenInferenceRoutesDeps) {
  const requireSlot = (c: Context<AuthEnv>) => {
    const { endpoint, version } = c.req.param() as { endpoint: string; version?: string };
    requireEndpoint(c.get('principal'), endpoint);
    const slot = slotOf(endpoint);
    if (slot) requireVersion(slot, endpoint, version);
    else if (!isKnown(endpoint)) throw notFound('endpoint', endpoint);
    else throw new PlatformError('UNAVAILABLE', `no model is loaded for endpoint '${endpoint}' yet`);
    return { endpoint, slot };
  };
  const metadata = (c: Context<AuthEnv>) => {
    const { endpoint, slot } = requireSlot(c);
    return c.json(modelMetadata(endpoint, slot));
  };
  const ready = (c: Context<AuthEnv>) => c.json({ name: requireSlot(c).endpoint, ready: true });

  const [open, predict] = [guard('public'), guard(['predict'])];
  return new Hono<AuthEnv>()
    .get('/v2', open, (c) => c.json(SERVER_METADATA))
    .get('/v2/health/live', open, (c) => c.json({ live: true }))
    .get('/v2/health/ready', open, (c) => {
      const reason = notReady();
      return reason === null ? c.json({ ready: true }) : c.json({ ready: false, reason }, 503, { 'retry-after': '2' });
    })
    .get('/v2/models/:endpoint', predict, metadata)
    .get('/v2/models/:endpoint/versions/:version', predict, metadata)
    .get('/v2/models/:endpoint/ready', predict, ready)
    .get('/v2/models/:endpoint/versions/:version/ready', predict, ready);
}

/** A problem at this path, with the text where clients of the protocol look for it. */
export const problemAt = (path: string, problem: Problem): Problem & { readonly error?: string } =>
  /^\/v2(\/|$)/.test(path) ? { ...problem, error: problem.detail } : problem;
