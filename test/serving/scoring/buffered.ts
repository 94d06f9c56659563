import type { InputRow } from '../../../lib/model-feeds.ts';
import {
  createRowBuffers,
  MISSING_INTEGER,
  type RowBuffers,
  type RowLayout,
} from '../../../serving/scoring/row-buffers.ts';

/** Packs rows, with room for `spare` more. */
export function buffered(layout: RowLayout, rows: readonly InputRow[], spare = 0): RowBuffers {
  const buffers = createRowBuffers(layout, rows.length + spare);
  const fill = <T>(into: { [index: number]: T }, names: readonly string[], value: (raw: InputRow[string]) => T) =>
    rows.forEach((row, r) => names.forEach((name, at) => (into[r * names.length + at] = value(row[name] ?? null))));
  fill(buffers.numbers, layout.numbers, (raw) => (raw === null ? NaN : Number(raw)));
  fill(buffers.texts, layout.texts, (raw) => (raw as string | null) ?? '');
  fill(buffers.integers, layout.integers, (raw) => (raw === null ? MISSING_INTEGER : BigInt(raw)));
  return buffers;
}
