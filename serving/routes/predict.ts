import { Hono } from 'hono';
import type { AuthEnv } from '../../auth/guard.ts';
import { readJsonBody } from '../../lib/http/body.ts';
import type { PredictionFront } from '../prediction-front.ts';
import type { Predictor } from '../predict.ts';

export interface PredictRoutesDeps {
  readonly front: PredictionFront;
  readonly predictor: Pick<Predictor, 'one' | 'batch'>;
  readonly maxBodyBytes: number;
}

/** Single and batch predictions, at the root for the default model and below /api/v1/predict. */
export function predictRoutes({ front, predictor, maxBodyBytes }: PredictRoutesDeps) {
  const single = front(async (c, call) => await predictor.one(await readJsonBody(c, maxBodyBytes), call));
  const batch = front(async (c, call) => await predictor.batch(await readJsonBody(c, maxBodyBytes), call));

  return new Hono<AuthEnv>()
    .post('/predict', single)
    .post('/api/v1/predict', single)
    .post('/api/v1/predict/batch', batch)
    .post('/api/v1/predict/:endpoint', single)
    .post('/api/v1/predict/:endpoint/batch', batch);
}
