import { z } from '@hono/zod-openapi';
import { requireEndpoint } from '../../auth/principal.ts';
import type { AlertRepository } from '../../db/alerts.ts';
import type { Alert as AlertRow, AlertDelivery as DeliveryRow } from '../../db/schema/alerts.ts';
import { ALERT_KINDS, SEVERITIES } from '../../pipelines/window-alerts.ts';
import { declareRoute } from '../declare-route.ts';
import { Name } from '../resources/name.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { json, problems } from '../resources/problem.ts';
import { RowId } from '../resources/row-id.ts';
import { createRouter } from '../router.ts';

export interface AlertsDeps {
  readonly alerts: AlertRepository;
}
const tags = ['alerts'];
const State = z.enum(['firing', 'acknowledged', 'resolved']);
const Alert = z
  .object({
    id: z.int(),
    endpoint: z.string(),
    kind: z.enum(ALERT_KINDS),
    severity: z.enum(SEVERITIES),
    state: State,
    message: z.string().openapi({ description: 'As of the last window', example: 'the data has drifted: age, plan' }),
    model: z.object({ name: z.string(), version: z.int() }),
    sequence: z.int().openapi({ description: 'The last window that said so' }),
    count: z.int().openapi({ description: 'How many windows did' }),
    raised_at: z.iso.datetime(),
    last_at: z.iso.datetime(),
    acknowledged_by: z.string().nullable(),
    acknowledged_at: z.iso.datetime().nullable(),
    resolved_at: z.iso.datetime().nullable(),
  })
  .openapi('Alert');
const Delivery = z.object({
  id: z.int(),
  event: z.enum(['firing', 'resolved']),
  state: z.enum(['pending', 'delivered', 'failed', 'silenced']),
  attempts: z.int(),
  last_error: z.string().nullable(),
  created_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
});
const AlertDetail = Alert.extend({
  deliveries: z.array(Delivery).openapi({ description: 'Messages to the webhook, oldest first' }),
}).openapi('AlertDetail');
const byId = { params: z.object({ id: RowId }) };

const listAlerts = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listAlerts',
  tags,
  request: {
    query: pageQuery({
      endpoint: Name.optional(),
      kind: z.enum(ALERT_KINDS).optional(),
      state: State.optional(),
    }),
  },
  responses: { 200: json(pageOf(Alert, 'AlertPage'), 'Newest first') },
});
const getAlert = declareRoute(['data'], {
  method: 'get',
  path: '/{id}',
  operationId: 'getAlert',
  tags,
  request: byId,
  responses: { 200: json(AlertDetail, 'The alert, and who was told'), ...problems(404) },
});
const acknowledgeAlert = declareRoute(['release'], {
  method: 'post',
  path: '/{id}/acknowledge',
  operationId: 'acknowledgeAlert',
  idempotent: true,
  description: 'Somebody has seen it: it goes on counting, and nobody is told again.',
  tags,
  request: byId,
  responses: { 200: json(Alert, 'Acknowledged, now or before'), ...problems(404, 409) },
});

export const alertRoutes = ({ alerts }: AlertsDeps) =>
  createRouter()
    .openapi(listAlerts, async (c) => {
      const query = c.req.valid('query');
      requireEndpoint(c.get('principal'), query.endpoint ?? null);
      return c.json(toPageBody(await alerts.list(query), toAlert), 200);
    })
    .openapi(getAlert, async (c) => {
      const { alert, deliveries } = await alerts.get(c.req.valid('param').id);
      requireEndpoint(c.get('principal'), alert.endpoint);
      return c.json({ ...toAlert(alert), deliveries: deliveries.map(toDelivery) }, 200);
    })
    .openapi(acknowledgeAlert, async (c) => {
      const { id } = c.req.valid('param');
      requireEndpoint(c.get('principal'), (await alerts.get(id)).alert.endpoint);
      const alert = await alerts.acknowledge(id, c.get('actor'));
      c.set('auditDetail', { endpoint: alert.endpoint, kind: alert.kind });
      return c.json(toAlert(alert), 200);
    });

const toAlert = (row: AlertRow): z.infer<typeof Alert> => ({
  id: row.id,
  endpoint: row.endpoint,
  kind: row.kind,
  severity: row.severity,
  state: row.state,
  message: row.message,
  model: { name: row.model, version: row.version },
  sequence: row.lastSequence,
  count: row.count,
  raised_at: row.raisedAt.toISOString(),
  last_at: row.lastAt.toISOString(),
  acknowledged_by: row.acknowledgedBy,
  acknowledged_at: row.acknowledgedAt?.toISOString() ?? null,
  resolved_at: row.resolvedAt?.toISOString() ?? null,
});

const toDelivery = (row: DeliveryRow): z.infer<typeof Delivery> => ({
  id: row.id,
  event: row.event,
  state: row.state,
  attempts: row.attempts,
  last_error: row.lastError,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});
