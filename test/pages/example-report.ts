import type { ColumnDrift } from '../../ml/drift/drift-report.ts';
import type { WindowReport } from '../../ml/drift/window-report.ts';

const NOTHING_NEW = {
  new_categories: { values: [], share: 0 },
  out_of_range: 0,
  missing: { reference: 0, current: 0 },
};

export const numericColumn = (changes: Partial<ColumnDrift> = {}): ColumnDrift => ({
  column: 'income',
  role: 'feature',
  type: 'numeric',
  method: 'wasserstein',
  score: 0.02,
  threshold: 0.1,
  drifted: false,
  ...NOTHING_NEW,
  mean: { reference: 65.5, current: 66 },
  distribution: { edges: [0, 1, 2, 3], reference: [10, 20, 10], current: [9, 21, 10] },
  ...changes,
});
export const categoricalColumn = (changes: Partial<ColumnDrift> = {}): ColumnDrift => ({
  ...numericColumn(),
  column: 'purpose',
  type: 'categorical',
  method: 'jensen_shannon',
  mean: { reference: null, current: null },
  distribution: { categories: ['car', 'house'], reference: [30, 10], current: [25, 15] },
  ...changes,
});

/** One feature of three has drifted, and so has the prediction. */
export const exampleReport = (changes: Partial<WindowReport> = {}): WindowReport => ({
  endpoint: 'loans',
  sequence: 3,
  model: 'loans',
  version: 2,
  first_at: '2026-11-21T20:01:12.123Z',
  last_at: '2026-11-21T21:01:00.000Z',
  closed_at: '2026-11-21T21:01:03.000Z',
  rows: { reference: 20_000, current: 1_000 },
  judged: true,
  drifted: false,
  features: { compared: 3, drifted: 1, share: 1 / 3 },
  drift_share: 0.5,
  correction: 'none',
  columns: [
    categoricalColumn(),
    numericColumn({ column: 'empty', score: null, distribution: { edges: [0, 1], reference: [0], current: [0] } }),
    numericColumn({ score: 0.61, drifted: true, out_of_range: 0.013 }),
    numericColumn({
      column: 'probability',
      role: 'prediction',
      method: 'ks',
      score: 0.001,
      threshold: 0.05,
      drifted: true,
    }),
  ],
  estimate: { roc_auc: 0.8312 },
  history: [1, 2].map((sequence) => ({
    sequence,
    closed_at: '2026-11-20T00:00:00.000Z',
    columns: { income: { method: 'wasserstein', score: 0.2 * sequence, drifted: true } },
  })),
  ...changes,
});
