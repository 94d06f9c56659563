import type { DriftSettings } from '../../../ml/drift/drift-report.ts';

/** Settings that judge a window of any size. */
export const driftSettings = (changes: Partial<DriftSettings> = {}): DriftSettings => ({
  ignore: [],
  columns: {},
  drift_share: 0.5,
  correction: 'none',
  min_rows: 1,
  ...changes,
});
