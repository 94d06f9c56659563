import { z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { Context } from 'hono';
import { requireEndpoint } from '../../auth/principal.ts';
import type { LabelReport, LabelRepository } from '../../db/labels.ts';
import { readJsonBody } from '../../lib/http/body.ts';
import { declareRoute } from '../declare-route.ts';
import { AskedFormat, FILE_CONTENT, formatOf } from '../file-format.ts';
import { type LabelUploadDeps, receiveLabelFile } from '../label-uploads.ts';
import { JSON_TYPE } from '../middleware/body-rules.ts';
import { Label, LabelCounts, LabelsBody, readLabels, toLabel } from '../resources/label.ts';
import { Name } from '../resources/name.ts';
import { PredictionId } from '../resources/prediction.ts';
import { json, problems } from '../resources/problem.ts';
import { type ApiEnv, createRouter } from '../router.ts';

export interface LabelsDeps extends LabelUploadDeps {
  readonly labels: Pick<LabelRepository, 'receive' | 'get'>;
  /** Of labels as JSON. */
  readonly maxBatchBytes: number;
  readonly now: () => Date;
}
const tags = ['labels'];

const reportLabels = declareRoute(['data'], {
  method: 'post',
  path: '/',
  operationId: 'reportLabels',
  description:
    'What came true of predictions: one label or up to 10,000 as JSON, all or none; or a file with the columns prediction_id, or ' +
    'entity, endpoint and at, label, observed_at. The same again changes nothing; another label, observed later, corrects.',
  idempotent: 'by_content',
  tags,
  request: {
    query: z.object({
      endpoint: Name.optional().openapi({ description: 'Of the rows of a file that name none' }),
      format: AskedFormat,
    }),
    body: {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Labels' } }, ...FILE_CONTENT },
    },
  },
  responses: { 200: json(LabelCounts, 'How many of the labels did what') },
});
const getLabel = declareRoute(['data'], {
  method: 'get',
  path: '/{prediction_id}',
  operationId: 'getLabel',
  tags,
  request: { params: z.object({ prediction_id: PredictionId }) },
  responses: { 200: json(Label, 'The label of a prediction and what it was before'), ...problems(404) },
});

export function labelRoutes(deps: LabelsDeps) {
  const { labels, now } = deps;
  const router = createRouter();
  router.openAPIRegistry.register('Labels', LabelsBody);
  return router
    .openapi(reportLabels, async (c) => {
      const { endpoint, format: asked } = c.req.valid('query');
      const contentType = c.req.header('content-type');
      const receivedAt = now();
      const principal = c.get('principal');
      const receive = (reports: readonly LabelReport[]) => {
        for (const { prediction } of reports)
          if ('endpoint' in prediction) requireEndpoint(principal, prediction.endpoint);
        const endpoints = principal.apiKey?.endpoints ?? null;
        return labels.receive({ reports, receivedAt, reportedBy: c.get('actor'), endpoints });
      };
      if (JSON_TYPE.test(contentType ?? '')) {
        const counts = await receive(readLabels(await jsonOf(c, deps.maxBatchBytes), receivedAt));
        c.set('auditDetail', { ...counts });
        return c.json(counts, 200);
      }
      const format = formatOf(contentType, asked);
      const upload = { request: c.req.raw, format, endpoint, now: receivedAt };
      const counts = await receiveLabelFile(deps, upload, receive);
      c.set('auditDetail', { format, ...counts });
      return c.json(counts, 200);
    })
    .openapi(getLabel, async (c) => {
      const history = await labels.get(c.req.valid('param').prediction_id);
      requireEndpoint(c.get('principal'), history.label.endpoint);
      return c.json(toLabel(history), 200);
    });
}

async function jsonOf(c: Context<ApiEnv>, maxBytes: number): Promise<unknown> {
  const bytes = await readJsonBody(c, maxBytes);
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause });
  }
}
