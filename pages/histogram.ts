import type { Distribution } from '../ml/drift/drift-report.ts';
import { html, type Markup } from './html.ts';
import { numberText, shareText } from './shown-values.ts';

type Histogram = Extract<Distribution, { readonly edges: readonly number[] }>;

const WIDTH = 440;
const HEIGHT = 170;
const FLOOR = HEIGHT - 22;
const CEILING = 16;
const LABELS = 5;

/**
 * The reference as bars, the current values as a line over them. Every bin is as wide as the others, whatever it covers
 * (bins may hold equal shares of the reference): the edges are written below and each bin says what is in it.
 */
export function histogram(column: string, { edges, reference, current }: Histogram): Markup {
  const bins = reference.length;
  const top = Math.max(...reference, ...current);
  const x = (edge: number) => coordinate((edge / bins) * WIDTH);
  const y = (share: number) => coordinate(FLOOR - (share / top) * (FLOOR - CEILING));
  const isLabelled = (edge: number) => edge % Math.max(1, Math.ceil(bins / (LABELS - 1))) === 0 || edge === bins;
  const bars = reference.map(
    (share, bin) =>
      html`<rect
        class="reference"
        x="${x(bin)}"
        y="${y(share)}"
        width="${coordinate(WIDTH / bins - 1)}"
        height="${coordinate(FLOOR - y(share))}"
      />`,
  );
  const steps = current.map((share, bin) => `V${y(share)}H${x(bin + 1)}`).join('');
  // What the pointer meets: the whole height of a bin.
  const slots = reference.map(
    (share, bin) =>
      html`<rect class="slot" x="${x(bin)}" y="0" width="${coordinate(WIDTH / bins)}" height="${FLOOR}"
        ><title>
          ${numberText(edges[bin]!)} to ${numberText(edges[bin + 1]!)}: reference ${shareText(share)}, current
          ${shareText(current[bin]!)}
        </title></rect
      >`,
  );
  const labels = edges.flatMap((edge, index) =>
    isLabelled(index)
      ? html`<text x="${x(index)}" y="${HEIGHT - 6}" text-anchor="${anchorOf(index, bins)}">${numberText(edge)}</text>`
      : [],
  );
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
    <title>Distribution of ${column}: reference as bars, current as a line</title>
    ${bars}
    <path class="current" d="M0 ${FLOOR}${steps}V${FLOOR}" />
    <path class="axis" d="M0 ${FLOOR}H${WIDTH}" />
    <text class="scale" x="0" y="10">${shareText(top)}</text>
    ${labels}${slots}
  </svg>`;
}

const anchorOf = (edge: number, bins: number) => (edge === 0 ? 'start' : edge === bins ? 'end' : 'middle');
const coordinate = (value: number) => Math.round(value * 10) / 10;
