import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import type { EarlierWindow } from '../ml/drift/window-report.ts';
import { html, type Markup } from './html.ts';
import { scoreHistory } from './score-history.ts';
import { METHOD_WORDS, numberText, shareText } from './shown-values.ts';
import { columnVerdict } from './verdict.ts';

export interface ColumnsTable {
  readonly columns: readonly ColumnDrift[];
  readonly sequence: number;
  readonly history: readonly EarlierWindow[];
}

/** One line per column. */
export const columnsTable = ({ columns, sequence, history }: ColumnsTable): Markup =>
  html`<div class="panel" role="region" aria-label="All columns" tabindex="0">
    <table>
      <caption>
        A p-value finds drift when it is below its threshold, a distance when it reaches it. Shares are of all rows,
        reference → this window.
      </caption>
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Verdict</th>
          <th scope="col">Method</th>
          <th scope="col" class="number">Score</th>
          <th scope="col" class="number">Threshold</th>
          <th scope="col">Over time</th>
          <th scope="col" class="number">Missing</th>
          <th scope="col" class="number">New or out of range</th>
        </tr>
      </thead>
      <tbody>
        ${columns.map(
          (column) =>
            html`<tr>
              <th scope="row"><bdi>${column.column}</bdi> ${roleTag(column)}</th>
              <td>${columnVerdict(column)}</td>
              <td>
                ${METHOD_WORDS[column.method].name} <span class="soft">${METHOD_WORDS[column.method].score}</span>
              </td>
              <td class="number">${numberText(column.score)}</td>
              <td class="number">${numberText(column.threshold)}</td>
              <td>${scoreHistory(column, sequence, history)}</td>
              <td class="number">${shareText(column.missing.reference)} → ${shareText(column.missing.current)}</td>
              <td class="number">${shareText(column.new_categories.share + column.out_of_range)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** What a column is, unless it is a feature or its name says so. */
export const roleTag = ({ role, column }: Pick<ColumnDrift, 'role' | 'column'>): Markup | null =>
  role === 'feature' || role === column ? null : html`<span class="tag">${role}</span>`;
