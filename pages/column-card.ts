import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import { roleTag } from './columns-table.ts';
import { distributionChart } from './distribution-chart.ts';
import { html, type Markup } from './html.ts';
import { METHOD_WORDS, numberText, shareText, shortened } from './shown-values.ts';
import { columnVerdict } from './verdict.ts';

const CATEGORY_LENGTH = 40;

/** A column's distributions, and what its line in the table has no room for. */
export const columnCard = (column: ColumnDrift): Markup =>
  html`<section class="card${column.drifted ? ' drifted' : ''}">
    <div class="head">
      <h3><bdi>${column.column}</bdi> ${roleTag(column)}</h3>
      ${columnVerdict(column)}
    </div>
    <p class="score">${scoreText(column)}</p>
    ${distributionChart(column)}
    <dl class="details">
      ${detailsOf(column).map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </section>`;

function scoreText({ method, score, threshold }: ColumnDrift): string {
  const { name, score: kind } = METHOD_WORDS[method];
  return `${name}: ${kind} ${numberText(score)}, threshold ${numberText(threshold)}`;
}

function detailsOf({
  mean,
  missing,
  new_categories: fresh,
  out_of_range: outOfRange,
}: ColumnDrift): [string, string][] {
  const details: [string, string][] = [];
  if (mean.reference !== null || mean.current !== null) {
    details.push(['Mean', `${numberText(mean.reference)} → ${numberText(mean.current)}`]);
  }
  details.push(['Missing', `${shareText(missing.reference)} → ${shareText(missing.current)}`]);
  if (fresh.share > 0) {
    const names = fresh.values.map((value) => `“${shortened(value, CATEGORY_LENGTH)}”`).join(', ');
    details.push(['New categories', `${shareText(fresh.share)} of rows: ${names}`]);
  }
  if (outOfRange > 0) details.push(['Out of range', `${shareText(outOfRange)} of rows`]);
  return details;
}
