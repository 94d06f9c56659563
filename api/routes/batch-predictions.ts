import { z } from '@hono/zod-openapi';
import { isAllowed, requireEndpoint } from '../../auth/principal.ts';
import type { RunRepository } from '../../db/runs.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import type { BatchPlanningDeps } from '../batch-predictions.ts';
import { type DownloadDeps, sendArtifact } from '../downloads.ts';
import type { Jobs } from '../jobs.ts';
import {
  BatchPrediction,
  BatchPredictionAccepted,
  BatchPredictionRequestBody,
  toBatchPrediction,
} from '../resources/batch-prediction.ts';
import { JobFilters, JobId, toListedJob } from '../resources/job.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';
import { startBatchPrediction } from '../start-job.ts';

export interface BatchPredictionsDeps extends BatchPlanningDeps, DownloadDeps {
  readonly jobs: Pick<Jobs, 'status' | 'startBatchPrediction'>;
  readonly runs: Pick<RunRepository, 'list'>;
  readonly store: Pick<ArtifactStore, 'get' | 'getFile'>;
}
const tags = ['batch-predictions'];
const PARQUET = 'application/vnd.apache.parquet';
const byId = { params: z.object({ id: JobId }) };

// Who may read data, and predict: the handler asks for the second.
const createBatchPrediction = declareRoute(['data'], {
  method: 'post',
  path: '/',
  operationId: 'startBatchPrediction',
  tags,
  idempotent: true,
  request: { body: jsonBody(BatchPredictionRequestBody) },
  responses: { 202: json(BatchPredictionAccepted, 'Started, or started before'), ...problems(404, 409) },
});
const listBatchPredictions = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listBatchPredictions',
  tags,
  request: { query: pageQuery({ state: JobFilters.state }) },
  responses: { 200: json(pageOf(BatchPrediction, 'BatchPredictionPage'), 'Newest first') },
});
const getBatchPrediction = declareRoute(['data'], {
  method: 'get',
  path: '/{id}',
  operationId: 'getBatchPrediction',
  tags,
  request: byId,
  responses: { 200: json(BatchPrediction, 'Where it stands, and what came of it'), ...problems(404) },
});
const downloadPredictions = declareRoute(['data'], {
  method: 'get',
  path: '/{id}/output',
  operationId: 'downloadPredictions',
  audited: true,
  tags,
  request: byId,
  responses: {
    200: {
      description: 'The columns of the table, and the prediction of each row',
      content: { [PARQUET]: { schema: z.string().openapi({ format: 'binary' }) } },
    },
    ...problems(404, 409),
  },
});
const Manifest = z.record(z.string(), z.unknown()).openapi('BatchPredictionManifest');
const getManifest = declareRoute(['data'], {
  method: 'get',
  path: '/{id}/manifest',
  operationId: 'getBatchPredictionManifest',
  tags,
  request: byId,
  responses: { 200: json(Manifest, 'Model, dataset, chunks and output by their SHA-256'), ...problems(404, 409) },
});

export function batchPredictionRoutes(deps: BatchPredictionsDeps) {
  const { jobs, runs, store } = deps;
  const find = async (id: string) => {
    const job = await jobs.status(id);
    if (job.kind !== 'batch_predict') throw notFound('batch prediction', id);
    return toBatchPrediction(job);
  };
  const findResult = async (id: string) => {
    const { state, output, manifest } = await find(id);
    if (output && manifest) return { output, manifest };
    throw new PlatformError('CONFLICT', `batch prediction '${id}' is ${state}; only a COMPLETED one has a result`);
  };
  return createRouter()
    .openapi(createBatchPrediction, async (c) => {
      const body = c.req.valid('json');
      const principal = c.get('principal');
      if (!isAllowed(['predict'], principal)) throw new PlatformError('FORBIDDEN', 'this needs the scope predict, too');
      requireEndpoint(principal, body.endpoint ?? null);
      return c.json(await startBatchPrediction(c, deps, body), 202);
    })
    .openapi(listBatchPredictions, async (c) => {
      const page = await runs.list({ kinds: ['batch_predict'], ...c.req.valid('query') });
      return c.json(
        toPageBody(page, (run) => toBatchPrediction(toListedJob(run))),
        200,
      );
    })
    .openapi(getBatchPrediction, async (c) => c.json(await find(c.req.valid('param').id), 200))
    .openapi(downloadPredictions, async (c) => {
      const { id } = c.req.valid('param');
      const { output } = await findResult(id);
      const filename = `${id.replaceAll(':', '-')}.parquet`;
      return await sendArtifact(c, deps, { ...output, filename, contentType: PARQUET });
    })
    .openapi(getManifest, async (c) => {
      const { manifest } = await findResult(c.req.valid('param').id);
      const bytes = Buffer.from(await store.get(manifest.sha256));
      return c.json(JSON.parse(bytes.toString()) as Record<string, unknown>, 200);
    });
}
