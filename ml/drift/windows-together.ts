import type { DriftReport } from './drift-report.ts';
import { driftReport } from './report.ts';
import { mergeSketches } from './sketches/column-sketch.ts';
import { compareSketches } from './sketches/compare-sketches.ts';
import type { WindowSketches } from './window-sketches.ts';

/**
 * Two windows of one version as if they were one, judged as the later one is. Its columns are those of the later one; of a
 * column that the earlier one lacks, or has as another type, only the later rows count.
 */
export function addWindows(earlier: WindowSketches, later: WindowSketches): WindowSketches {
  const known = new Map(earlier.columns.map(({ column, current }) => [column, current]));
  return {
    rows: { reference: later.rows.reference, current: earlier.rows.current + later.rows.current },
    settings: later.settings,
    columns: later.columns.map((column) => {
      const before = known.get(column.column);
      if (before?.type !== column.current.type) return column;
      return { ...column, current: mergeSketches(before, column.current) };
    }),
  };
}

/** What is found in windows that were added up, beside the reference, within the sketches' errors. */
export const reportOfSketches = ({ rows, settings, columns }: WindowSketches): DriftReport =>
  driftReport(
    columns.map(({ column, role, reference, current }) =>
      compareSketches(reference, [current], { column, role, rows, settings }),
    ),
    settings,
    rows,
  );
