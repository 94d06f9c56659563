import { z } from '@hono/zod-openapi';
import type { ModelRepository } from '../../db/models.ts';
import type { RunRepository } from '../../db/runs.ts';
import { Candidate } from '../../pipelines/definition.ts';
import { HIGHER_IS_BETTER, MetricName } from '../../pipelines/metric-bar.ts';
import type { Checks } from '../../lib/health-server.ts';
import { checkHealth, Health } from '../resources/health.ts';
import type { Jobs } from '../jobs.ts';
import { Job, JobAccepted, JobFilters, JobId, JobRequestBody, toListedJob } from '../resources/job.ts';
import { Name } from '../resources/name.ts';
import { Model, ModelVersion, toModel, toModelVersion } from '../resources/model.ts';
import { PageQuery, pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';
import { startJob } from '../start-job.ts';

export interface TrainDeps {
  readonly jobs: Jobs;
  readonly runs: Pick<RunRepository, 'list'>;
  readonly models: ModelRepository;
  readonly checks: Checks;
}
const tags = ['train'];

const startTraining = declareRoute(['train'], {
  method: 'post',
  path: '/',
  operationId: 'startTraining',
  tags,
  idempotent: true,
  request: { body: jsonBody(JobRequestBody) },
  responses: { 202: json(JobAccepted, 'Started, or started before'), ...problems(404, 409) },
});
const getTrainingStatus = declareRoute(['train', 'registry'], {
  method: 'get',
  path: '/status/{job_id}',
  operationId: 'getTrainingStatus',
  tags,
  request: { params: z.object({ job_id: JobId }) },
  responses: { 200: json(Job, 'Where the job stands'), ...problems(404) },
});
const listTrainingJobs = declareRoute(['train', 'registry'], {
  method: 'get',
  path: '/jobs',
  operationId: 'listTrainingJobs',
  tags,
  request: { query: pageQuery(JobFilters) },
  responses: { 200: json(pageOf(Job, 'JobPage'), 'Newest first') },
});
const BestModelRequest = z
  .strictObject({ model: Name, metric: MetricName.default('roc_auc') })
  .openapi('BestModelRequest');
const BestModel = z
  .object({ metric: MetricName, value: z.number(), uri: z.string(), version: ModelVersion })
  .openapi('BestModel');
const fetchBestModel = declareRoute(['registry'], {
  method: 'post',
  path: '/fetch-best-model',
  operationId: 'fetchBestModel',
  audited: false, // reads only
  tags,
  request: { body: jsonBody(BestModelRequest) },
  responses: { 200: json(BestModel, 'Best on the test split'), ...problems(404) },
});
const listTrainedModels = declareRoute(['registry'], {
  method: 'get',
  path: '/models',
  operationId: 'listTrainedModels',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(Model, 'ModelPage'), 'By name') },
});
const getMetrics = declareRoute(['registry'], {
  method: 'get',
  path: '/metrics/{model_type}',
  operationId: 'getTrainingMetrics',
  tags,
  request: {
    params: z.object({
      model_type: z
        .string()
        .regex(/^[a-z][a-z0-9_-]{0,62}$/)
        .openapi({ description: 'An algorithm or a model’s name' }),
    }),
    query: PageQuery,
  },
  responses: { 200: json(pageOf(ModelVersion, 'ModelVersionPage'), 'Newest first'), ...problems(404) },
});
const getTrainingHealth = declareRoute('public', {
  method: 'get',
  path: '/health',
  operationId: 'getTrainingHealth',
  tags,
  responses: { 200: json(Health, 'Ready'), 503: json(Health, 'Not ready') },
});

// Algorithms have underscores, model names have none: the two cannot be confused.
const ALGORITHMS = new Set<string>(Candidate.options.map((option) => option.shape.algorithm.value));

export const trainRoutes = ({ jobs, runs, models, checks }: TrainDeps) =>
  createRouter()
    .openapi(startTraining, async (c) => c.json(await startJob(c, jobs, 'train_model', c.req.valid('json')), 202))
    .openapi(getTrainingStatus, async (c) => c.json(await jobs.status(c.req.valid('param').job_id), 200))
    .openapi(listTrainingJobs, async (c) => {
      const page = await runs.list({ kinds: ['train_model'], ...c.req.valid('query') });
      return c.json(toPageBody(page, toListedJob), 200);
    })
    .openapi(fetchBestModel, async (c) => {
      const { model, metric } = c.req.valid('json');
      const best = await models.best(model, metric, HIGHER_IS_BETTER[metric] ? 'max' : 'min');
      const version = toModelVersion(best);
      return c.json({ metric, value: best.metrics[metric]!, uri: version.uri, version }, 200);
    })
    .openapi(listTrainedModels, async (c) => c.json(toPageBody(await models.list(c.req.valid('query')), toModel), 200))
    .openapi(getMetrics, async (c) => {
      const type = c.req.valid('param').model_type;
      const request = c.req.valid('query');
      const page = ALGORITHMS.has(type) ? models.byAlgorithm(type, request) : models.listVersions(type, request);
      return c.json(toPageBody(await page, toModelVersion), 200);
    })
    .openapi(getTrainingHealth, async (c) => {
      const { status, body } = await checkHealth(checks);
      return c.json(body, status);
    });
