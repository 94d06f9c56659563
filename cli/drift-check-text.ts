import type { LeftOut } from '../data/drift-tables.ts';
import type { ColumnDrift, DriftReport } from '../ml/drift/drift-report.ts';
import { shown, type TestResult } from './drift-suite.ts';

export interface CheckedDrift {
  readonly title: string;
  readonly report: DriftReport;
  readonly leftOut: readonly LeftOut[];
  readonly tests: readonly TestResult[];
  readonly passed: boolean;
}

/** What `anneal drift check` prints: a line per column, then a line per test. */
export function checkText({ title, report, leftOut, tests, passed }: CheckedDrift): string {
  const { rows, features } = report;
  const header = ['column', 'method', 'score', 'threshold', 'verdict'];
  return [
    `${title}: ${rows.current} rows beside ${rows.reference}`,
    '',
    ...aligned([header, ...report.columns.map((column) => cellsOf(column, report))]),
    ...leftOut.map(({ column, reason }) => `${column}: left out, ${reason}`),
    '',
    `${features.drifted} of ${features.compared} features drifted (${shown(features.share)}; the table has from ${report.drift_share})`,
    ...tests.map(({ test, passed, found }) => `${passed ? 'pass' : 'FAIL'}  ${test}: ${found}`),
    passed ? 'passed' : 'FAILED',
  ].join('\n');
}

const cellsOf = ({ column, role, method, score, threshold, drifted }: ColumnDrift, { judged }: DriftReport) => [
  role === 'feature' ? column : `${column} (${role})`,
  method,
  score === null ? '-' : shown(score),
  shown(threshold),
  !judged ? 'not judged' : drifted ? 'DRIFT' : 'ok',
];

function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, cell) => Math.max(...lines.map((line) => line[cell]!.length)));
  return lines.map((line) =>
    line
      .map((text, cell) => text.padEnd(widths[cell]!))
      .join('  ')
      .trimEnd(),
  );
}
