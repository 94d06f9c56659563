import type { ColumnDrift, DriftSettings } from './drift-report.ts';
import type { ColumnSketch } from './sketches/column-sketch.ts';

/** What is kept of a window to add it up with others: its columns and the reference's, and how they are judged. */
export interface WindowSketches {
  readonly rows: { readonly reference: number; readonly current: number };
  readonly settings: DriftSettings;
  readonly columns: readonly {
    readonly column: string;
    readonly role: ColumnDrift['role'];
    readonly reference: ColumnSketch;
    readonly current: ColumnSketch;
  }[];
}
