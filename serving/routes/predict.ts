import { Hono, type Context } from 'hono';
import type { AuthEnv } from '../../auth/guard.ts';
import { PlatformError } from '../../lib/errors.ts';
import { readJsonBody, takeBody } from '../../lib/http/body.ts';
import { MAX_EXPLAINED_BYTES } from '../explain/explainer.ts';
import type { RequestLimits } from '../openapi.ts';
import type { PredictionFront } from '../prediction-front.ts';
import type { Predictor } from '../predict.ts';

export interface PredictRoutesDeps {
  readonly front: PredictionFront;
  readonly predictor: Pick<Predictor, 'one' | 'batch'>;
  /** Answers those who ask for `explain=true`. */
  readonly explained: Pick<Predictor, 'one' | 'batch'>;
  readonly limits: Pick<RequestLimits, 'maxBodyBytes' | 'maxBatchBytes'>;
}

/** Single and batch predictions, at the root for the default model and below /api/v1/predict. */
export function predictRoutes({ front, predictor, explained, limits }: PredictRoutesDeps) {
  const { maxBodyBytes, maxBatchBytes } = limits;
  const explainedBody = (c: Context) => readJsonBody(c, Math.min(maxBodyBytes, MAX_EXPLAINED_BYTES));
  const single = front(async (c, call) =>
    wantsExplanation(c.req.query('explain'))
      ? await explained.one(await explainedBody(c), call)
      : await predictor.one(await takeBody(c, maxBodyBytes), call),
  );
  const batch = front(async (c, call) =>
    wantsExplanation(c.req.query('explain'))
      ? await explained.batch(await explainedBody(c), call)
      : await predictor.batch(await takeBody(c, maxBatchBytes), call),
  );

  return new Hono<AuthEnv>()
    .post('/predict', single)
    .post('/api/v1/predict', single)
    .post('/api/v1/predict/batch', batch)
    .post('/api/v1/predict/:endpoint', single)
    .post('/api/v1/predict/:endpoint/batch', batch);
}

/** Throws INVALID for what is neither true nor false. */
function wantsExplanation(value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  const message = 'must be true or false';
  throw new PlatformError('INVALID', `the request is not valid: explain ${message}`, {
    details: [{ path: 'explain', rule: 'boolean', message }],
  });
}
