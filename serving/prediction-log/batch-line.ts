import type { PredictionBatch, PredictionRecord } from './record.ts';

const PREFIX = Buffer.from('{"rows":');
const [ZERO, NINE] = Buffer.from('09');

/** How many predictions the line that starts there holds. */
export function rowsAt(lines: Uint8Array, start: number): number {
  for (let at = 0; at < PREFIX.length; at++) if (lines[start + at] !== PREFIX[at]) return 1;
  let rows = 0;
  for (let at = start + PREFIX.length; lines[at]! >= ZERO! && lines[at]! <= NINE!; at++)
    rows = rows * 10 + lines[at]! - ZERO!;
  return Math.max(rows, 1);
}

/** A line as lines of one prediction each. Throws a SyntaxError or TypeError where it is damaged. */
export function singleLines(line: string): string[] {
  if (!line.startsWith(PREFIX.toString())) return [line];
  const { ids, features, probabilities, cut, labels, decisions, ...same } = JSON.parse(line) as PredictionBatch;
  return ids.map((id, row) => {
    const probability = probabilities[row]!;
    const side = probability >= cut ? 1 : 0;
    const [label, decision] = [labels[side], decisions[side]];
    const single = { id, features: features[row]!, probability, label, decision, ...same, rows: undefined };
    return `${JSON.stringify(single satisfies PredictionRecord)}\n`;
  });
}
