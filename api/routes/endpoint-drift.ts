import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { DriftReportRepository, ReportedWindow } from '../../db/drift-reports.ts';
import { declareRoute } from '../declare-route.ts';
import { DriftComparison } from '../resources/drift-report.ts';
import { Name } from '../resources/name.ts';
import { json } from '../resources/problem.ts';
import { TimeWindow, windowOf } from '../resources/time-window.ts';
import { createRouter, invalid } from '../router.ts';
import type { AddUpWindows } from '../window-sums.ts';

export interface EndpointDriftDeps {
  readonly driftReports: Pick<DriftReportRepository, 'list'>;
  readonly addUpWindows: AddUpWindows;
  readonly now: () => Date;
}
const MOST_WINDOWS = 200;
const DAY_MS = 86_400_000;

const EndpointDrift = z
  .object({
    endpoint: z.string(),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    versions: z
      .array(
        DriftComparison.extend({
          model: z.string(),
          version: z.int(),
          windows: z.int(),
          first_at: z.iso.datetime(),
          last_at: z.iso.datetime(),
        }).openapi('VersionDrift'),
      )
      .openapi({ description: 'The windows of each version together, that of the last window first' }),
  })
  .openapi('EndpointDrift');
const getEndpointDrift = declareRoute(['data'], {
  method: 'get',
  path: '/{name}/drift',
  operationId: 'getEndpointDrift',
  description:
    'Windows that were closed in this time, by default the last 24 hours, as if they were one: added up from their ' +
    `sketches, at most ${MOST_WINDOWS}. Costs a request of the caller's rate for each window.`,
  tags: ['drift'],
  request: { params: z.object({ name: Name }), query: z.object(TimeWindow) },
  responses: { 200: json(EndpointDrift, 'Empty where no window was closed') },
});

export const endpointDriftRoutes = ({ driftReports, addUpWindows, now }: EndpointDriftDeps) =>
  createRouter().openapi(getEndpointDrift, async (c) => {
    const { name: endpoint } = c.req.valid('param');
    requireEndpoint(c.get('principal'), endpoint);
    const given = windowOf(c.req.valid('query'));
    const until = given.until ?? now();
    const since = given.since ?? new Date(until.getTime() - DAY_MS);
    const { items, nextCursor } = await driftReports.list({ endpoint, since, until, limit: MOST_WINDOWS });
    if (nextCursor !== null) throw tooManyWindows();
    if (items.length > 1) await c.get('charge')(items.length - 1);
    const versions: z.output<typeof EndpointDrift>['versions'] = [];
    for (const windows of byVersion(items)) versions.push(await together(windows, addUpWindows));
    return c.json({ endpoint, since: since.toISOString(), until: until.toISOString(), versions }, 200);
  });

const tooManyWindows = () =>
  invalid([{ path: 'since', rule: 'max_windows', message: `more than ${MOST_WINDOWS} windows; ask for less time` }]);

const byVersion = (items: readonly ReportedWindow[]) =>
  Map.groupBy(items, ({ window }) => `${window.model}/${window.version}`).values();

/** @param windows of one version, the newest first */
async function together(windows: readonly ReportedWindow[], addUpWindows: AddUpWindows) {
  const [last, first] = [windows[0]!.window, windows.at(-1)!.window];
  const report = await addUpWindows(windows.map(({ report }) => report.sketchesSha256).reverse());
  return {
    model: last.model,
    version: last.version,
    windows: windows.length,
    first_at: first.firstAt.toISOString(),
    last_at: last.lastAt.toISOString(),
    ...(report as z.output<typeof DriftComparison>),
  };
}
