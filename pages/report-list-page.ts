import { htmlDocument } from './document.ts';
import { html, type Markup } from './html.ts';
import { numberText, shareText, timeText } from './shown-values.ts';
import { windowVerdict } from './verdict.ts';

/** A line of the list. Times are ISO 8601, UTC. */
export interface ListedReport {
  readonly endpoint: string;
  readonly sequence: number;
  readonly model: string;
  readonly version: number;
  readonly rows: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly judged: boolean;
  readonly drifted: boolean;
  readonly drifted_share: number;
  readonly prediction_drifted: boolean;
  readonly columns: readonly {
    readonly column: string;
    readonly role: 'feature' | 'prediction' | 'target';
    readonly drifted: boolean;
  }[];
}
/** What the list is limited to, as its form has it. Dates are `2026-11-21`, both inclusive. */
export interface ReportFilter {
  readonly endpoint?: string | undefined;
  readonly verdict?: 'drift' | 'no_drift' | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}
export interface ReportList {
  readonly reports: readonly ListedReport[];
  readonly filter: ReportFilter;
  /** Does the list begin with the newest report? */
  readonly isFirst: boolean;
  readonly nextCursor: string | null;
}

/** All reports of a filter, a page at a time, with a form to change the filter. */
export function reportListPage({ reports, filter, isFirst, nextCursor }: ReportList): string {
  const newest = isFirst ? html`<span></span>` : html`<a href="${addressOf(filter)}">← Newest</a>`;
  const older = nextCursor === null ? null : html`<a href="${addressOf(filter, nextCursor)}" rel="next">Older →</a>`;
  return htmlDocument(
    'Drift reports',
    html`<header>
        <p class="kicker">Anneal</p>
        <h1>Drift reports</h1>
      </header>
      <div class="panel facts-below">${filterForm(filter)}</div>
      ${
        reports.length === 0
          ? html`<p class="lead nothing">No report matches. A window is compared when enough predictions are there.</p>`
          : reportTable(reports)
      }
      <nav aria-label="Pages">${newest}${older}</nav>`,
  );
}

function addressOf(filter: ReportFilter, cursor?: string): string {
  const given = Object.entries({ ...filter, cursor }).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `/reports${given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`}`;
}

const VERDICTS = [
  ['', 'All'],
  ['drift', 'Drift'],
  ['no_drift', 'No drift'],
] as const;

const filterForm = ({ endpoint = '', verdict, since = '', until = '' }: ReportFilter): Markup =>
  html`<form action="/reports" method="get" role="search">
    <label
      >Endpoint <input name="endpoint" value="${endpoint}" pattern="[a-z][a-z0-9\\-]{0,62}" maxlength="63"
    /></label>
    <label
      >Verdict
      <select name="verdict">
        ${VERDICTS.map(
          ([value, name]) =>
            html`<option value="${value}" ${value === (verdict ?? '') ? html`selected` : null}>${name}</option>`,
        )}
      </select></label
    >
    <label>From (UTC) <input type="date" name="since" value="${since}" /></label>
    <label>To <input type="date" name="until" value="${until}" /></label>
    <button>Show</button>
  </form>`;

const reportTable = (reports: readonly ListedReport[]): Markup =>
  html`<div class="panel" role="region" aria-label="Reports" tabindex="0">
    <table>
      <caption>
        Each window is compared with the reference of its model version. The one that was closed last comes first.
      </caption>
      <thead>
        <tr>
          <th scope="col">Report</th>
          <th scope="col">Verdict</th>
          <th scope="col">Model</th>
          <th scope="col">First and last prediction</th>
          <th scope="col" class="number">Rows</th>
          <th scope="col" class="number">Drifted features</th>
          <th scope="col">Which</th>
        </tr>
      </thead>
      <tbody>
        ${reports.map(reportLine)}
      </tbody>
    </table>
  </div>`;

const MOST_NAMES = 3;

function reportLine(report: ListedReport): Markup {
  const { endpoint, sequence } = report;
  const drifted = report.columns.filter((column) => column.role === 'feature' && column.drifted);
  const names = drifted.slice(0, MOST_NAMES).map(({ column }) => column);
  const more = drifted.length > MOST_NAMES ? ` and ${drifted.length - MOST_NAMES} more` : '';
  return html`<tr>
    <th scope="row"><a href="/reports/${endpoint}/${sequence}">${endpoint}, window ${sequence}</a></th>
    <td>${windowVerdict(report)}</td>
    <td>${report.model} ${report.version}</td>
    <td class="time">${timeText(report.first_at)}<br />${timeText(report.last_at)}</td>
    <td class="number">${numberText(report.rows)}</td>
    <td class="number">${shareText(report.drifted_share)}</td>
    <td>${names.join(', ')}${more} ${report.prediction_drifted ? html`<span class="tag">prediction</span>` : null}</td>
  </tr>`;
}
