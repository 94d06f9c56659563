import { createRowBuffers, type RowBuffers, type RowLayout } from '../../../serving/scoring/row-buffers.ts';
import { writeCheckedRow } from '../../../serving/scoring/row-writer.ts';

/** Packs rows, with room for `spare` more. */
export function buffered(layout: RowLayout, rows: readonly Record<string, unknown>[], spare = 0): RowBuffers {
  const buffers = createRowBuffers(layout, rows.length + spare);
  rows.forEach((row, index) => writeCheckedRow(row, layout, buffers, index));
  return buffers;
}
