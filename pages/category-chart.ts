import type { Distribution } from '../ml/drift/drift-report.ts';
import { html, type Markup } from './html.ts';
import { shareText, shortened } from './shown-values.ts';

type Shares = Extract<Distribution, { readonly categories: readonly string[] }>;
interface Row {
  readonly name: string;
  readonly reference: number;
  readonly current: number;
}

const WIDTH = 440;
const ROW = 28;
const LABEL = 130;
const VALUE = 52;
const MOST_ROWS = 10;
const NAME_LENGTH = 19;

/** Two bars per category, the most frequent first; what does not fit is added up in a last one. */
export function categoryChart(column: string, shares: Shares): Markup {
  const rows = rowsOf(shares);
  const top = Math.max(...rows.flatMap(({ reference, current }) => [reference, current]));
  const length = (share: number) => Math.round((share / top) * (WIDTH - LABEL - VALUE) * 10) / 10;
  const bars = rows.map(({ name, reference, current }, index) => {
    const y = index * ROW;
    return html`<g
      ><title>${name}: reference ${shareText(reference)}, current ${shareText(current)}</title
      ><text x="${LABEL - 8}" y="${y + 17}" text-anchor="end">${shortened(name, NAME_LENGTH)}</text
      ><rect class="reference" x="${LABEL}" y="${y + 4}" width="${length(reference)}" height="9" /><rect
        class="now"
        x="${LABEL}"
        y="${y + 14}"
        width="${length(current)}"
        height="9"
      /><text x="${LABEL + length(Math.max(reference, current)) + 6}" y="${y + 17}">${shareText(current)}</text></g
    >`;
  });
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${rows.length * ROW + 4}" role="img">
    <title>Categories of ${column}: reference above, current below</title>
    ${bars}
    <path class="axis" d="M${LABEL} 0V${rows.length * ROW}" />
  </svg>`;
}

function rowsOf({ categories, reference, current }: Shares): Row[] {
  const rows = categories
    .map((name, index) => ({ name, reference: reference[index]!, current: current[index]! }))
    .sort((a, b) => Math.max(b.reference, b.current) - Math.max(a.reference, a.current));
  if (rows.length <= MOST_ROWS) return rows;
  const rest = rows.slice(MOST_ROWS - 1);
  const sum = (key: 'reference' | 'current') => rest.reduce((total, row) => total + row[key], 0);
  const others = { name: `${rest.length} others`, reference: sum('reference'), current: sum('current') };
  return [...rows.slice(0, MOST_ROWS - 1), others];
}
