import type { DriftReport } from '../ml/drift/drift-report.ts';
import { columnCard } from './column-card.ts';
import { columnsTable } from './columns-table.ts';
import { htmlDocument } from './document.ts';
import { html } from './html.ts';
import { numberText } from './shown-values.ts';
import { windowVerdict } from './verdict.ts';

/** The page of one comparison of two tables: self-contained HTML without scripts. */
export function checkPage(title: string, report: DriftReport): string {
  const { rows, features, columns } = report;
  const content = html`<header>
      <div class="head">
        <div>
          <p class="kicker">Drift check</p>
          <h1><bdi>${title}</bdi></h1>
        </div>
        ${windowVerdict(report)}
      </div>
      <p class="lead">
        ${numberText(rows.current)} rows beside ${numberText(rows.reference)}: ${features.drifted} of
        ${features.compared} features drifted.
      </p>
    </header>
    ${columnsTable({ columns, sequence: 1, history: [] })}
    <h2>Distributions</h2>
    <p class="key"><span>Reference</span><span class="now">Current</span></p>
    <div class="cards">${columns.map(columnCard)}</div>`;
  return htmlDocument(`Drift of ${title}`, content);
}
