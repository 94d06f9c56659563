import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import type { WindowReport } from '../ml/drift/window-report.ts';
import { columnCard } from './column-card.ts';
import { columnsTable } from './columns-table.ts';
import { htmlDocument } from './document.ts';
import { html, type Markup } from './html.ts';
import { numberText, shareText, timeText } from './shown-values.ts';
import { windowVerdict } from './verdict.ts';

/** The page of one window: self-contained HTML without scripts. The same report is the same page. */
export function windowPage(report: WindowReport): string {
  const { endpoint, sequence, model, version, history } = report;
  const columns = [...report.columns].sort((a, b) => rank(a) - rank(b));
  const content = html`<header>
      <div class="head">
        <div>
          <p class="kicker">Drift report</p>
          <h1>${endpoint}, window ${sequence}</h1>
        </div>
        ${windowVerdict(report)}
      </div>
      <p class="soft">${timeText(report.first_at)} to ${timeText(report.last_at)} · models:/${model}/${version}</p>
      <p class="lead">${summaryOf(report)}</p>
    </header>
    ${facts(report)} ${performance(report.estimate)}
    <h2>Columns</h2>
    ${columnsTable({ columns, sequence, history })}
    <h2>Distributions</h2>
    <p class="key"><span>Reference</span><span class="now">This window</span></p>
    <div class="cards">${columns.map(columnCard)}</div>
    <footer>
      Window closed at ${timeText(report.closed_at)}. Correction for many tests: ${report.correction.replace('_', '–')}.
    </footer>`;
  return htmlDocument(`Drift of ${endpoint}, window ${sequence}`, content);
}

/** What has drifted comes first, what could not be judged last. */
const rank = ({ drifted, score }: ColumnDrift) => (drifted ? 0 : score === null ? 2 : 1);

function summaryOf({ judged, rows, features, columns, drift_share: share }: WindowReport): string {
  if (!judged) return `This window has ${counted(rows.current, 'row')}, which is too few to judge by.`;
  const names = columns.filter(({ role, drifted }) => role === 'feature' && drifted).map(({ column }) => column);
  const which = names.length === 0 ? '' : ` (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''})`;
  return `${features.drifted} of ${counted(features.compared, 'feature')} drifted${which}. The window counts as drifted from ${shareText(share)} of the features on.`;
}

const counted = (count: number, noun: string) => `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`;

function facts({ rows, features, columns }: WindowReport): Markup {
  const prediction = columns.find(({ role }) => role === 'prediction');
  return html`<dl class="facts">
    <div>
      <dt>Predictions in this window</dt>
      <dd>${numberText(rows.current)}</dd>
    </div>
    <div>
      <dt>Rows of the reference</dt>
      <dd>${numberText(rows.reference)}</dd>
    </div>
    <div>
      <dt>Drifted features</dt>
      <dd>${features.drifted} of ${features.compared} <small>${shareText(features.share)}</small></dd>
    </div>
    ${prediction ? predictionFact(prediction) : null}
  </dl>`;
}

const predictionFact = ({ score, drifted }: ColumnDrift) =>
  html`<div>
    <dt>Prediction</dt>
    <dd>${drifted ? html`<span class="bad">Drift</span>` : score === null ? 'Not judged' : 'No drift'}</dd>
  </div>`;

function performance(estimate: WindowReport['estimate']): Markup | null {
  const metrics = Object.entries(estimate ?? {});
  if (metrics.length === 0) return null;
  return html`<h2>Estimated performance</h2>
    <p class="soft">By the probabilities alone: right as long as they are calibrated on what arrives now.</p>
    <dl class="facts">
      ${metrics.map(
        ([name, value]) =>
          html`<div>
            <dt>${name.replaceAll('_', ' ')}</dt>
            <dd>${numberText(value)}</dd>
          </div>`,
      )}
    </dl>`;
}
