import type { ColumnDrift, DriftReport } from '../ml/drift/drift-report.ts';
import { html, type Markup } from './html.ts';

export const windowVerdict = ({ judged, drifted }: Pick<DriftReport, 'judged' | 'drifted'>): Markup => {
  if (!judged) return badge('wait', 'Too few rows to judge');
  return drifted ? badge('bad', 'Drift') : badge('good', 'No drift');
};

export const columnVerdict = ({ score, drifted }: Pick<ColumnDrift, 'score' | 'drifted'>): Markup => {
  if (drifted) return badge('bad', 'Drift'); // without a score when only one sample has values
  return score === null ? badge('wait', 'Not judged') : badge('good', 'No drift');
};

const badge = (kind: 'good' | 'bad' | 'wait', text: string) => html`<span class="badge ${kind}">${text}</span>`;
