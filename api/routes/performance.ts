import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { PerformanceRepository, VersionPerformance, WindowPerformance } from '../../db/performance.ts';
import { declareRoute } from '../declare-route.ts';
import { Version } from '../resources/model.ts';
import { Name } from '../resources/name.ts';
import { pageQuery, toPageBody } from '../resources/page.ts';
import { Labelled, Metrics, toRealised, WindowRealised } from '../resources/realised-metrics.ts';
import { json, problems } from '../resources/problem.ts';
import { TimeWindow, windowOf } from '../resources/time-window.ts';
import { createRouter } from '../router.ts';
import type { EndpointReads } from './endpoints.ts';

export interface PerformanceDeps {
  readonly performance: PerformanceRepository;
  readonly endpoints: Pick<EndpointReads, 'get'>;
}

const Estimate = z
  .record(z.string(), z.number())
  .nullable()
  .openapi({ description: 'By the probabilities alone, without labels; null when those are not calibrated' });
const Model = z.object({ name: z.string(), version: z.int() });
const WindowMetrics = z
  .object({
    sequence: z.int(),
    model: Model,
    rows: z.int(),
    ...{ first_at: z.iso.datetime(), last_at: z.iso.datetime(), closed_at: z.iso.datetime() },
    realised: WindowRealised,
    estimated: Estimate,
  })
  .openapi('WindowPerformance');
const VersionMetrics = z
  .object({
    ...{ model: Model, windows: z.int(), rows: z.int() },
    realised: z
      .object({ labelled: Labelled, ...Metrics })
      .nullable()
      .openapi({
        description: 'Over all labelled rows; roc_auc and pr_auc are means of the windows, by labelled rows',
      }),
    estimated: Estimate.openapi({ description: 'Means of the windows, by rows' }),
  })
  .openapi('VersionPerformance');

const getPerformance = declareRoute(['data'], {
  method: 'get',
  path: '/{name}/performance',
  operationId: 'getPerformance',
  description: 'How predictions did, by window and by version: `realised` by labels, `estimated` without.',
  tags: ['endpoints'],
  request: {
    params: z.object({ name: Name }),
    query: pageQuery({ version: Version.optional(), ...TimeWindow }),
  },
  responses: {
    200: json(
      z
        .object({
          endpoint: z.string(),
          versions: z.array(VersionMetrics).openapi({ description: 'Of all windows of the time, newest first' }),
          items: z.array(WindowMetrics).openapi({ description: 'Windows, newest first' }),
          next_cursor: z.string().nullable().openapi({ description: 'null on the last page' }),
        })
        .openapi('Performance'),
      'Since and until are of the time when a window was closed',
    ),
    ...problems(404),
  },
});

export const performanceRoutes = ({ performance, endpoints }: PerformanceDeps) =>
  createRouter().openapi(getPerformance, async (c) => {
    const { name: endpoint } = c.req.valid('param');
    requireEndpoint(c.get('principal'), endpoint);
    const query = c.req.valid('query');
    await endpoints.get(endpoint); // NOT_FOUND
    const filter = { endpoint, version: query.version, ...windowOf(query) };
    const [versions, page] = await Promise.all([
      performance.versions(filter),
      performance.windows({ ...filter, limit: query.limit, cursor: query.cursor }),
    ]);
    return c.json({ endpoint, versions: versions.map(toVersion), ...toPageBody(page, toWindow) }, 200);
  });

const toWindow = ({ window, realised, estimate }: WindowPerformance): z.output<typeof WindowMetrics> => ({
  sequence: window.sequence,
  model: { name: window.model, version: window.version },
  rows: window.rows,
  first_at: window.firstAt.toISOString(),
  last_at: window.lastAt.toISOString(),
  closed_at: window.closedAt.toISOString(),
  realised: realised && toRealised(realised),
  estimated: estimate,
});

const toVersion = ({ model, version, windows, rows, realised, estimate }: VersionPerformance) => ({
  ...{ model: { name: model, version }, windows, rows, realised },
  estimated: estimate,
});
