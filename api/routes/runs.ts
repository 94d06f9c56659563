import { z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { isAllowed } from '../../auth/principal.ts';
import type { Scope } from '../../auth/roles.ts';
import type { RunRepository } from '../../db/runs.ts';
import { PlatformError } from '../../lib/errors.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import { type EventSettings, streamJob } from '../job-events.ts';
import type { Jobs } from '../jobs.ts';
import { Job, JobFilters, JobId, JobKind, toListedJob } from '../resources/job.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';

export interface RunsDeps {
  readonly jobs: Jobs;
  readonly runs: Pick<RunRepository, 'list'>;
  readonly events: EventSettings;
}
const tags = ['runs'];
const params = z.object({ id: JobId });

const listRuns = declareRoute(['data', 'train', 'registry'], {
  method: 'get',
  path: '/',
  operationId: 'listRuns',
  tags,
  request: { query: pageQuery({ kind: JobKind.optional(), ...JobFilters }) },
  responses: { 200: json(pageOf(Job, 'JobPage'), 'Newest first') },
});
const getRun = declareRoute(['data', 'train', 'registry'], {
  method: 'get',
  path: '/{id}',
  operationId: 'getRun',
  tags,
  request: { params },
  responses: { 200: json(Job, 'Where the run stands'), ...problems(404) },
});
const cancelRun = declareRoute(['data', 'train', 'release'], {
  method: 'post',
  path: '/{id}/cancel',
  operationId: 'cancelRun',
  idempotent: true,
  tags,
  request: { params },
  responses: { 202: json(Job, 'Asked to stop, or stopped before'), ...problems(404, 409) },
});
const holdRun = <Path extends string>(path: Path, operationId: string, description: string) =>
  declareRoute(['data'], {
    method: 'post',
    path,
    operationId,
    description: 'Only a batch prediction can be held',
    idempotent: true,
    tags,
    request: { params },
    responses: { 202: json(Job, description), ...problems(404, 409) },
  });
const pauseRun = holdRun('/{id}/pause', 'pauseRun', 'What is being computed is finished; nothing new begins');
const resumeRun = holdRun('/{id}/resume', 'resumeRun', 'Goes on where it was paused');
/** Who may start a job may cancel it. */
const scopeToCancel = (kind: JobStatus['kind']): Scope =>
  kind === 'deploy_model' ? 'release' : kind === 'batch_predict' ? 'data' : 'train';
const ServerEvent = z
  .object({ event: z.string(), data: z.string().openapi({ description: 'JSON' }) })
  .openapi('ServerEvent');
const streamRun = declareRoute(['data', 'train', 'registry'], {
  method: 'get',
  path: '/{id}/events',
  operationId: 'streamRun',
  tags,
  request: { params },
  responses: {
    200: {
      description: 'Events `status` (the run, at once and on each change), then `end`',
      content: { 'text/event-stream': { schema: ServerEvent } },
    },
    ...problems(404),
  },
});

export const runRoutes = ({ jobs, runs, events }: RunsDeps) =>
  createRouter()
    .openapi(listRuns, async (c) => {
      const { kind, ...request } = c.req.valid('query');
      const page = await runs.list({ ...request, ...(kind === undefined ? {} : { kinds: [kind] }) });
      return c.json(toPageBody(page, toListedJob), 200);
    })
    .openapi(getRun, async (c) => c.json(await jobs.status(c.req.valid('param').id), 200))
    .openapi(cancelRun, async (c) => {
      const { id } = c.req.valid('param');
      const { kind } = await jobs.status(id);
      if (!isAllowed([scopeToCancel(kind)], c.get('principal'))) {
        throw new PlatformError('FORBIDDEN', `your role or key does not allow this for ${kind}`);
      }
      return c.json(await jobs.cancel(id), 202);
    })
    .openapi(pauseRun, async (c) => c.json(await jobs.signal(c.req.valid('param').id, 'pause'), 202))
    .openapi(resumeRun, async (c) => c.json(await jobs.signal(c.req.valid('param').id, 'resume'), 202))
    .openapi(streamRun, async (c) => {
      const { id } = c.req.valid('param');
      const first = await jobs.status(id);
      c.header('x-accel-buffering', 'no'); // nginx would hold events back
      return streamSSE(c, (stream) => streamJob(stream, first, () => jobs.status(id), events));
    });
