import { z } from '@hono/zod-openapi';
import type { RunRepository } from '../../db/runs.ts';
import type { Checks } from '../../lib/health-server.ts';
import type { Jobs } from '../jobs.ts';
import { checkHealth, Health } from '../resources/health.ts';
import { Job, JobAccepted, JobFilters, JobId, JobRequestBody, toListedJob } from '../resources/job.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';
import { startJob } from '../start-job.ts';

export interface DataDeps {
  readonly jobs: Jobs;
  readonly runs: Pick<RunRepository, 'list'>;
  readonly checks: Checks;
}
const tags = ['data'];

const startDataJob = <Path extends string>(path: Path, operationId: string) =>
  declareRoute(['data'], {
    method: 'post',
    path,
    operationId,
    tags,
    idempotent: true,
    request: { body: jsonBody(JobRequestBody) },
    responses: { 202: json(JobAccepted, 'Started, or started before'), ...problems(404, 409) },
  });
const getDataJobStatus = declareRoute(['data'], {
  method: 'get',
  path: '/status/{job_id}',
  operationId: 'getDataJobStatus',
  tags,
  request: { params: z.object({ job_id: JobId }) },
  responses: { 200: json(Job, 'Where the job stands'), ...problems(404) },
});
const listDataJobs = declareRoute(['data'], {
  method: 'get',
  path: '/jobs',
  operationId: 'listDataJobs',
  tags,
  request: { query: pageQuery(JobFilters) },
  responses: { 200: json(pageOf(Job, 'JobPage'), 'Newest first') },
});
const getDataHealth = declareRoute('public', {
  method: 'get',
  path: '/health',
  operationId: 'getDataHealth',
  tags,
  responses: { 200: json(Health, 'Ready'), 503: json(Health, 'Not ready') },
});

export const dataRoutes = ({ jobs, runs, checks }: DataDeps) =>
  createRouter()
    .openapi(startDataJob('/preprocess', 'startPreprocessing'), async (c) =>
      c.json(await startJob(c, jobs, 'preprocess_data', c.req.valid('json')), 202),
    )
    .openapi(startDataJob('/build-features', 'startBuildingFeatures'), async (c) =>
      c.json(await startJob(c, jobs, 'build_features', c.req.valid('json')), 202),
    )
    .openapi(getDataJobStatus, async (c) => c.json(await jobs.status(c.req.valid('param').job_id), 200))
    .openapi(listDataJobs, async (c) => {
      const page = await runs.list({ kinds: ['preprocess_data', 'build_features'], ...c.req.valid('query') });
      return c.json(toPageBody(page, toListedJob), 200);
    })
    .openapi(getDataHealth, async (c) => {
      const { status, body } = await checkHealth(checks);
      return c.json(body, status);
    });
