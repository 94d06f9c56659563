import { z } from '@hono/zod-openapi';
import { guard } from '../../auth/guard.ts';
import { requireEndpoint } from '../../auth/principal.ts';
import { type CallerRates, limitCallers } from '../../auth/rates.ts';
import { reportListPage } from '../../pages/report-list-page.ts';
import { type BrowserIdentityDeps, browserIdentity } from '../middleware/browser-identity.ts';
import { Sequence, toSummary } from '../resources/drift-report.ts';
import { Name } from '../resources/name.ts';
import { windowOf } from '../resources/time-window.ts';
import { createRouter, invalid, problemsOf } from '../router.ts';
import type { DriftReportsDeps } from './drift-reports.ts';

export interface ReportPagesDeps extends Pick<DriftReportsDeps, 'driftReports' | 'store'>, BrowserIdentityDeps {
  readonly rates: CallerRates;
}
const PATH = '/reports';
const PER_PAGE = 50;
const DAY_MS = 86_400_000;
const operation = (id: string, path: string) => ({ id, path, isPublic: false, audited: false });

// Pages come with all they need, and may do nothing; the list has a form.
const policyOf = (formAction: string) =>
  ["default-src 'none'", "style-src 'unsafe-inline'", 'img-src data:', `form-action ${formAction}`]
    .concat("base-uri 'none'", "frame-ancestors 'none'")
    .join('; ');
const LIST_HEADERS = { 'content-security-policy': policyOf("'self'") };
const PAGE_HEADERS = { 'content-security-policy': policyOf("'none'"), 'content-type': 'text/html; charset=UTF-8' };

/** A field of a form that nobody filled in is sent as ''. */
const field = <T extends z.ZodType>(type: T) =>
  z.preprocess((text) => (text === '' ? undefined : text), type.optional());
const Filter = z.object({
  endpoint: field(Name),
  verdict: field(z.enum(['drift', 'no_drift'])),
  since: field(z.iso.date()),
  until: field(z.iso.date()),
});
const Query = Filter.extend({ cursor: field(z.string().max(1000)) });
const Address = z.object({ endpoint: Name, sequence: Sequence });

/** The drift reports for people, without scripts. */
export function reportPageRoutes(deps: ReportPagesDeps) {
  const { driftReports, store } = deps;
  const routes = createRouter();
  routes.use(browserIdentity(deps, PATH), limitCallers(deps.rates));
  routes.get('/', guard(['data'], operation('listReportPages', '/')), async (c) => {
    const { cursor, ...filter } = read(Query, c.req.query());
    requireEndpoint(c.get('principal'), filter.endpoint ?? null);
    const found = await driftReports.list({ limit: PER_PAGE, cursor, ...toReportFilter(filter) });
    const page = { reports: found.items.map(toSummary), filter, isFirst: cursor === undefined };
    return c.html(reportListPage({ ...page, nextCursor: found.nextCursor }), 200, LIST_HEADERS);
  });
  const path = '/:endpoint/:sequence';
  routes.get(path, guard(['data'], operation('getReportPage', '/{endpoint}/{sequence}')), async (c) => {
    const { endpoint, sequence } = read(Address, c.req.param());
    requireEndpoint(c.get('principal'), endpoint);
    const { report } = await driftReports.get(endpoint, sequence);
    return c.body(Buffer.from(await store.get(report.pageSha256)), 200, PAGE_HEADERS);
  });
  return routes;
}

/** Throws INVALID. */
function read<T extends z.ZodType>(type: T, given: unknown): z.output<T> {
  const parsed = type.safeParse(given);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

const toReportFilter = ({ endpoint, verdict, since, until }: z.output<typeof Filter>) => ({
  endpoint,
  drifted: verdict === undefined ? undefined : verdict === 'drift',
  ...windowOf({ since, until: until && new Date(Date.parse(until) + DAY_MS).toISOString() }),
});
