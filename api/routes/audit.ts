import { z } from '@hono/zod-openapi';
import type { AuditFilter, AuditLog } from '../../db/audit-log.ts';
import type { AuditEntry as AuditRow } from '../../db/schema/audit-log.ts';
import { csvLine } from '../../lib/csv.ts';
import { unbroken } from '../../lib/http/unbroken.ts';
import type { Logger } from '../../lib/log.ts';
import { declareRoute } from '../declare-route.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { json, problems } from '../resources/problem.ts';
import { type GivenWindow, TimeWindow, windowOf } from '../resources/time-window.ts';
import { createRouter } from '../router.ts';

export interface AuditDeps {
  readonly auditLog: Pick<AuditLog, 'list' | 'read'>;
  readonly log: Pick<Logger, 'error'>;
}
const tags = ['audit'];
const Filters = {
  actor: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'printable characters without spaces, at most 200')
    .optional()
    .openapi({ description: '`ada`; `ada/ci` for her API key `ci`' }),
  action: z
    .string()
    .regex(/^[A-Za-z]{1,64}$/, 'letters, at most 64')
    .optional()
    .openapi({ description: 'An operation of this document, or `promote`' }),
  object: z
    .string()
    .regex(/^[\x20-\x7e]{1,300}$/, 'printable characters, at most 300')
    .optional()
    .openapi({ description: 'What it begins with', example: 'models/churn' }),
  ...TimeWindow,
};
const AuditEntry = z
  .object({
    sequence: z.int(),
    at: z.iso.datetime(),
    actor: z.string(),
    action: z.string(),
    object: z.string(),
    status: z.int().nullable().openapi({ description: 'Of the answer; null for what a run did' }),
    address: z.string().nullable(),
    request_id: z.string().openapi({ description: 'Or the run' }),
    detail: z.record(z.string(), z.unknown()),
    previous_sha256: z.string(),
    sha256: z.string().openapi({ description: 'Over the other fields, the previous row’s hash among them' }),
  })
  .openapi('AuditEntry');

const listAuditEntries = declareRoute(['admin'], {
  method: 'get',
  path: '/',
  operationId: 'listAuditEntries',
  tags,
  request: { query: pageQuery(Filters) },
  responses: { 200: json(pageOf(AuditEntry, 'AuditEntryPage'), 'Newest first'), ...problems(404) },
});
const exportAuditEntries = declareRoute(['admin'], {
  method: 'get',
  path: '/export',
  operationId: 'exportAuditEntries',
  audited: true,
  tags,
  request: { query: z.object(Filters) },
  responses: {
    200: { description: 'Oldest first', content: { 'text/csv': { schema: z.string() } } },
  },
});

export const auditRoutes = ({ auditLog, log }: AuditDeps) =>
  createRouter()
    .openapi(listAuditEntries, async (c) => {
      const { limit, cursor, ...filters } = c.req.valid('query');
      const page = await auditLog.list({ limit, cursor, ...toFilter(filters) });
      return c.json(
        toPageBody(page, (row) => toEntry(row, row.detail)),
        200,
      );
    })
    .openapi(exportAuditEntries, (c) => {
      const filters = c.req.valid('query');
      c.set('auditDetail', filters);
      c.header('content-type', 'text/csv; charset=utf-8');
      c.header('content-disposition', 'attachment; filename="audit.csv"');
      const failed = (err: unknown) => log.error({ err }, 'an export broke off');
      return c.body(unbroken(c, csvOf(auditLog.read(toFilter(filters))), failed), 200);
    });

async function* csvOf(rows: ReturnType<AuditLog['read']>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csvLine(Object.keys(AuditEntry.shape)));
  for await (const row of rows) yield Buffer.from(csvLine(Object.values(toEntry(row, row.detail))));
}

const toFilter = (filters: GivenWindow & Omit<AuditFilter, keyof GivenWindow>): AuditFilter => ({
  ...filters,
  ...windowOf(filters),
});

const toEntry = <Detail>(row: Omit<AuditRow, 'detail'>, detail: Detail) => ({
  sequence: row.sequence,
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  object: row.object,
  status: row.status,
  address: row.address,
  request_id: row.requestId,
  detail,
  previous_sha256: row.previousSha256,
  sha256: row.sha256,
});
