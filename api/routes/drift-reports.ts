import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { DriftReportRepository } from '../../db/drift-reports.ts';
import type { RealisedMetricsRepository } from '../../db/realised-metrics.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { declareRoute } from '../declare-route.ts';
import { type DownloadDeps, sendArtifact } from '../downloads.ts';
import { DriftReport, DriftReportSummary, Sequence, toSummary } from '../resources/drift-report.ts';
import { Version } from '../resources/model.ts';
import { Name } from '../resources/name.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { toRealised } from '../resources/realised-metrics.ts';
import { json, problems } from '../resources/problem.ts';
import { TimeWindow, windowOf } from '../resources/time-window.ts';
import { createRouter } from '../router.ts';

export interface DriftReportsDeps extends DownloadDeps {
  readonly driftReports: Pick<DriftReportRepository, 'get' | 'list'>;
  readonly realisedMetrics: Pick<RealisedMetricsRepository, 'get'>;
  readonly store: Pick<ArtifactStore, 'get' | 'getFile'>;
}
const tags = ['drift'];
const PARQUET = 'application/vnd.apache.parquet';
const params = z.object({ endpoint: Name, sequence: Sequence });

// Categories of the columns are what callers sent: for who works with data.
const listDriftReports = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listDriftReports',
  tags,
  request: {
    query: pageQuery({
      endpoint: Name.optional(),
      model: Name.optional(),
      version: Version.optional(),
      drifted: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .optional(),
      ...TimeWindow,
    }),
  },
  responses: { 200: json(pageOf(DriftReportSummary, 'DriftReportPage'), 'The window that was closed last first') },
});
const getDriftReport = declareRoute(['data'], {
  method: 'get',
  path: '/{endpoint}/{sequence}',
  operationId: 'getDriftReport',
  tags,
  request: { params },
  responses: { 200: json(DriftReport, 'A window beside the reference'), ...problems(404) },
});
const downloadWindow = declareRoute(['data'], {
  method: 'get',
  path: '/{endpoint}/{sequence}/archive',
  operationId: 'downloadWindow',
  audited: true,
  tags,
  request: { params },
  responses: {
    200: {
      description: 'The predictions of the window',
      content: { [PARQUET]: { schema: z.string().openapi({ format: 'binary' }) } },
    },
    ...problems(404),
  },
});

export function driftReportRoutes(deps: DriftReportsDeps) {
  const { driftReports, realisedMetrics, store } = deps;
  return createRouter()
    .openapi(listDriftReports, async (c) => {
      const query = c.req.valid('query');
      requireEndpoint(c.get('principal'), query.endpoint ?? null);
      return c.json(toPageBody(await driftReports.list({ ...query, ...windowOf(query) }), toSummary), 200);
    })
    .openapi(getDriftReport, async (c) => {
      const { endpoint, sequence } = c.req.valid('param');
      requireEndpoint(c.get('principal'), endpoint);
      const { report } = await driftReports.get(endpoint, sequence);
      const [bytes, realised] = await Promise.all([
        store.get(report.reportSha256),
        realisedMetrics.get(endpoint, sequence),
      ]);
      const stored = JSON.parse(Buffer.from(bytes).toString()) as Omit<z.output<typeof DriftReport>, 'realised'>;
      return c.json({ ...stored, realised: realised && toRealised(realised) }, 200);
    })
    .openapi(downloadWindow, async (c) => {
      const { endpoint, sequence } = c.req.valid('param');
      requireEndpoint(c.get('principal'), endpoint);
      const { report } = await driftReports.get(endpoint, sequence);
      const filename = `${endpoint}-${sequence}.parquet`;
      return await sendArtifact(c, deps, { sha256: report.archiveSha256, filename, contentType: PARQUET });
    });
}
