import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { PredictionRepository } from '../../db/predictions.ts';
import { declareRoute } from '../declare-route.ts';
import { Version } from '../resources/model.ts';
import { Name } from '../resources/name.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { Prediction, PredictionDetail, PredictionId, toLineage, toPrediction } from '../resources/prediction.ts';
import { json, problems } from '../resources/problem.ts';
import { TimeWindow, windowOf } from '../resources/time-window.ts';
import { createRouter } from '../router.ts';

export interface PredictionsDeps {
  readonly predictions: Pick<PredictionRepository, 'get' | 'list'>;
}
const tags = ['predictions'];
const LATER = 'A prediction appears here some moments after its answer, or as soon as Postgres is back.';

// Features and callers are personal data: for who works with data, not for all who predict or release.
const listPredictions = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listPredictions',
  description: LATER,
  tags,
  request: {
    query: pageQuery({
      endpoint: Name.optional(),
      model: Name.optional(),
      version: Version.optional(),
      ...TimeWindow,
    }),
  },
  responses: { 200: json(pageOf(Prediction, 'PredictionPage'), 'Newest first') },
});
const getPrediction = declareRoute(['data'], {
  method: 'get',
  path: '/{id}',
  operationId: 'getPrediction',
  description: LATER,
  tags,
  request: { params: z.object({ id: PredictionId }) },
  responses: { 200: json(PredictionDetail, 'The prediction and what it came from'), ...problems(404) },
});

export const predictionRoutes = ({ predictions }: PredictionsDeps) =>
  createRouter()
    .openapi(listPredictions, async (c) => {
      const query = c.req.valid('query');
      requireEndpoint(c.get('principal'), query.endpoint ?? null);
      return c.json(toPageBody(await predictions.list({ ...query, ...windowOf(query) }), toPrediction), 200);
    })
    .openapi(getPrediction, async (c) => {
      const found = await predictions.get(c.req.valid('param').id);
      requireEndpoint(c.get('principal'), found.prediction.endpoint);
      return c.json({ ...toPrediction(found.prediction), lineage: toLineage(found) }, 200);
    });
