import type { ReportedWindow } from '../../db/drift-reports.ts';

/** A window of `loans` that has drifted, computed today. */
export const reportedWindow = (sequence: number, files: Partial<ReportedWindow['report']> = {}): ReportedWindow => {
  const at = new Date('2026-11-21T21:00:00.000Z');
  const none = 'f'.repeat(64);
  return {
    window: {
      endpoint: 'loans',
      sequence,
      model: 'loans',
      version: 2,
      afterPosition: 0,
      untilPosition: 1000,
      rows: 1000,
      firstAt: at,
      lastAt: at,
      closedAt: at,
      finishedAt: at,
      labelsDropped: false,
    },
    report: {
      endpoint: 'loans',
      sequence,
      judged: true,
      drifted: true,
      driftedShare: 1,
      predictionDrifted: false,
      columns: [
        {
          column: 'income',
          role: 'feature',
          type: 'numeric',
          method: 'ks',
          score: 0.001,
          threshold: 0.05,
          drifted: true,
          missing: { reference: 0, current: 0.01 },
          new_categories: { values: [], share: 0 },
          out_of_range: 0.02,
          mean: { reference: 1, current: 2 },
        },
      ],
      estimate: null,
      reportSha256: none,
      pageSha256: none,
      archiveSha256: none,
      sketchesSha256: none,
      computedAt: at,
      ...files,
    },
  };
};
