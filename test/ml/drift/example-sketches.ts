import { sketchColumn } from '../../../ml/drift/sketches/column-sketch.ts';
import type { WindowSketches } from '../../../ml/drift/window-sketches.ts';

const numbers = (from: number, until: number) => ({
  type: 'numeric' as const,
  values: Float64Array.from({ length: until - from }, (_, index) => from + index),
});

/** 500 numbers from `from` on, beside a reference of 0 to 999: two such windows, from 0 and from 500, are the reference. */
export const exampleSketches = (from: number): WindowSketches => ({
  rows: { reference: 1000, current: 500 },
  settings: { ignore: [], columns: {}, drift_share: 0.5, correction: 'none', min_rows: 100 },
  columns: [
    {
      column: 'income',
      role: 'feature',
      reference: sketchColumn(numbers(0, 1000)),
      current: sketchColumn(numbers(from, from + 500)),
    },
  ],
});
