import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ServedSlot } from '../loaded-model.ts';
import type { Predictor } from '../predict.ts';
import { readJsonBody } from '../../lib/http/body.ts';
import { toProblem } from '../../lib/http/problem.ts';
import type { ServingMetrics } from '../serving-metrics.ts';
import { type AuthEnv, guard } from '../../auth/guard.ts';
import { requireEndpoint } from '../../auth/principal.ts';
import { costOf } from '../rates.ts';

export interface PredictRoutesDeps {
  readonly predictor: Predictor;
  readonly metrics: Pick<ServingMetrics, 'answered' | 'failed'>;
  /** The slot that would answer for an endpoint, or by default. */
  readonly slotOf: (endpoint: string | undefined) => ServedSlot | undefined;
  readonly maxBodyBytes: number;
}

/** Single and batch predictions, at the root for the default model and below /api/v1/predict. */
export function predictRoutes({ predictor, metrics, slotOf, maxBodyBytes }: PredictRoutesDeps) {
  const answer = async (c: Context<AuthEnv>, predict: Predictor['one'] | Predictor['batch']) => {
    const endpoint = c.req.param('endpoint') ?? c.req.query('endpoint');
    const slot = slotOf(endpoint);
    requireEndpoint(c.get('principal'), slot?.endpoint ?? endpoint ?? null);
    const started = performance.now();
    let status = 200;
    try {
      return c.json(await predict(parseJson(await readJsonBody(c, maxBodyBytes)), endpoint));
    } catch (error) {
      const problem = toProblem(error, c.get('requestId'));
      status = problem.status;
      metrics.failed(slot, problem.code);
      throw error;
    } finally {
      metrics.answered(slot, status, (performance.now() - started) / 1000);
    }
  };
  const single = (c: Context<AuthEnv>) => answer(c, predictor.one);
  const batch = (c: Context<AuthEnv>) =>
    answer(c, async (body, endpoint) => {
      const cost = costOf(body);
      if (cost > 1) await c.get('charge')(cost - 1);
      return await predictor.batch(body, endpoint);
    });

  const allowed = guard(['predict']);
  return new Hono<AuthEnv>()
    .post('/predict', allowed, single)
    .post('/api/v1/predict', allowed, single)
    .post('/api/v1/predict/batch', allowed, batch)
    .post('/api/v1/predict/:endpoint', allowed, single)
    .post('/api/v1/predict/:endpoint/batch', allowed, batch);
}

const utf8 = new TextDecoder();

function parseJson(bytes: Uint8Array): unknown {
  const text = utf8.decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return parseLeniently(text);
  }
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(withNotFinite(text));
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause });
  }
}

/** Python's json writes NaN and Infinity, which JSON lacks. Read as 1e999 they are refused like it, by field. */
function withNotFinite(text: string): string {
  let quoted = false;
  const outside = (part: string) => {
    if (part === '"') quoted = !quoted;
    return quoted ? part : part.replace(/-?\b(?:NaN|Infinity)\b/g, '1e999');
  };
  return text
    .split(/(\\[^]|")/)
    .map(outside)
    .join('');
}
