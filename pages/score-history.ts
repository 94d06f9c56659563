import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import type { EarlierWindow } from '../ml/drift/window-report.ts';
import { html, type Markup } from './html.ts';
import { METHOD_WORDS, numberText } from './shown-values.ts';

interface Point {
  readonly sequence: number;
  readonly score: number;
  readonly drifted: boolean;
}

const WIDTH = 110;
const HEIGHT = 28;
const MARGIN = 4;

/** How the score of a column went: window `sequence` last, after those that were compared by the same method. */
export function scoreHistory(column: ColumnDrift, sequence: number, earlier: readonly EarlierWindow[]): Markup | null {
  const points = pointsOf(column, sequence, earlier);
  if (points.length < 2) return null;
  const top = Math.max(column.threshold, ...points.map(({ score }) => score)) || 1;
  const x = (index: number) => coordinate(MARGIN + (index / (points.length - 1)) * (WIDTH - 2 * MARGIN));
  const y = (score: number) => coordinate(HEIGHT - MARGIN - (Math.max(score, 0) / top) * (HEIGHT - 2 * MARGIN));
  const line = points.map(({ score }, index) => `${index === 0 ? 'M' : 'L'}${x(index)} ${y(score)}`).join('');
  const dots = points.map(
    (point, index) =>
      html`<circle
        class="${point.drifted ? 'bad' : 'good'}"
        cx="${x(index)}"
        cy="${y(point.score)}"
        r="${point.drifted ? 2.6 : 1.6}"
      >
        <title>Window ${point.sequence}: ${numberText(point.score)}</title>
      </circle>`,
  );
  const score = METHOD_WORDS[column.method].score;
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
    <title>${score} of ${column.column} in windows ${points[0]!.sequence} to ${sequence}; dashed: the threshold</title>
    <path class="threshold" d="M0 ${y(column.threshold)}H${WIDTH}" />
    <path class="line" d="${line}" />
    ${dots}
  </svg>`;
}

function pointsOf(now: ColumnDrift, sequence: number, earlier: readonly EarlierWindow[]): Point[] {
  const before = earlier.flatMap((window) => {
    // A column may be named like what every object has.
    const then = Object.hasOwn(window.columns, now.column) ? window.columns[now.column] : undefined;
    return then?.method === now.method ? [{ sequence: window.sequence, ...then }] : [];
  });
  return [...before, { ...now, sequence }].filter((point): point is Point & typeof point => point.score !== null);
}

const coordinate = (value: number) => Math.round(value * 10) / 10;
