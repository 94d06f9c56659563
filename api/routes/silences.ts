import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { AlertRepository } from '../../db/alerts.ts';
import type { Silence as SilenceRow } from '../../db/schema/alerts.ts';
import { PlatformError } from '../../lib/errors.ts';
import { ALERT_KINDS } from '../../pipelines/window-alerts.ts';
import { declareRoute } from '../declare-route.ts';
import { Name } from '../resources/name.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { RowId } from '../resources/row-id.ts';
import { createRouter } from '../router.ts';

export interface SilencesDeps {
  readonly alerts: Pick<AlertRepository, 'addSilence' | 'getSilence' | 'listSilences' | 'removeSilence'>;
  readonly now: () => Date;
}
const tags = ['alerts'];
const MAX_DAYS = 90;
const DAY_MS = 86_400_000;

const Silence = z
  .object({
    id: z.int(),
    endpoint: z.string().nullable().openapi({ description: 'null = all' }),
    kind: z.enum(ALERT_KINDS).nullable().openapi({ description: 'null = all' }),
    until: z.iso.datetime(),
    comment: z.string(),
    created_by: z.string(),
    created_at: z.iso.datetime(),
  })
  .openapi('Silence');

const listSilences = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listSilences',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(Silence, 'SilencePage'), 'Those that are not over, newest first') },
});
const createSilence = declareRoute(['release'], {
  method: 'post',
  path: '/',
  operationId: 'createSilence',
  idempotent: true,
  description: `The webhook is not told of these alerts until then, at most ${MAX_DAYS} days. They are raised all the same.`,
  tags,
  request: {
    body: jsonBody(
      z.strictObject({
        endpoint: Name.nullable().default(null),
        kind: z.enum(ALERT_KINDS).nullable().default(null),
        until: z.iso.datetime({ offset: true }),
        comment: z
          .string()
          .max(500)
          .regex(/^[^\0]*$/, 'must not hold U+0000')
          .default(''),
      }),
    ),
  },
  responses: { 201: json(Silence, 'From now on') },
});
const deleteSilence = declareRoute(['release'], {
  method: 'delete',
  path: '/{id}',
  operationId: 'deleteSilence',
  tags,
  request: { params: z.object({ id: RowId }) },
  responses: { 204: { description: 'It is over' }, ...problems(404) },
});

export const silenceRoutes = ({ alerts, now }: SilencesDeps) =>
  createRouter()
    .openapi(listSilences, async (c) => {
      requireEndpoint(c.get('principal'), null);
      return c.json(toPageBody(await alerts.listSilences(c.req.valid('query')), toSilence), 200);
    })
    .openapi(createSilence, async (c) => {
      const { until, ...wanted } = c.req.valid('json');
      requireEndpoint(c.get('principal'), wanted.endpoint);
      c.set('auditDetail', { ...wanted, until });
      const silence = { ...wanted, until: checkedUntil(until, now()), createdBy: c.get('actor') };
      const added = await alerts.addSilence(silence);
      c.header('location', `/api/v1/silences/${added.id}`);
      return c.json(toSilence(added), 201);
    })
    .openapi(deleteSilence, async (c) => {
      const { id } = c.req.valid('param');
      requireEndpoint(c.get('principal'), (await alerts.getSilence(id)).endpoint);
      await alerts.removeSilence(id);
      return c.body(null, 204);
    });

function checkedUntil(text: string, now: Date): Date {
  const until = new Date(text);
  const days = (until.getTime() - now.getTime()) / DAY_MS;
  if (days > 0 && days <= MAX_DAYS) return until;
  const message = `must be in the future, at most ${MAX_DAYS} days from now`;
  throw new PlatformError('INVALID', `until: ${message}`, { details: [{ path: 'until', rule: 'range', message }] });
}

const toSilence = (row: SilenceRow): z.infer<typeof Silence> => ({
  id: row.id,
  endpoint: row.endpoint,
  kind: row.kind,
  until: row.until.toISOString(),
  comment: row.comment,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
});
