import type { ColumnDrift, Distribution } from '../ml/drift/drift-report.ts';
import { categoryChart } from './category-chart.ts';
import { histogram } from './histogram.ts';
import { html, type Markup } from './html.ts';

/** Reference and current values over the same bins or categories, as shares of the values there are. */
export function distributionChart({ column, distribution }: Pick<ColumnDrift, 'column' | 'distribution'>): Markup {
  if (total(distribution.reference) + total(distribution.current) === 0) {
    return html`<p class="nothing">No values in either sample.</p>`;
  }
  return 'edges' in distribution
    ? histogram(column, sharesOf(distribution))
    : categoryChart(column, sharesOf(distribution));
}

/** Of a sample without values all shares are 0. */
function sharesOf<Kind extends Distribution>(distribution: Kind): Kind {
  const shares = (counts: readonly number[]) => {
    const all = total(counts);
    return counts.map((count) => (all === 0 ? 0 : count / all));
  };
  return { ...distribution, reference: shares(distribution.reference), current: shares(distribution.current) };
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
