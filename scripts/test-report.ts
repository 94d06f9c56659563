import { existsSync, readFileSync } from 'node:fs';

/** The part of vitest's JSON report that is counted. */
export interface TestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Passed and failed tests of a report. A file that could not even be loaded is one failure, and so is a run that failed
 * without a failed test. With `skipsFail` a skipped test is a failure too.
 */
export function countTests(report: TestReport, { skipsFail }: { readonly skipsFail: boolean }): Counts {
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  const skipped = skipsFail ? report.numPendingTests + report.numTodoTests : 0;
  const failed = report.numFailedTests + unloaded.length + skipped;
  return { passed: report.numPassedTests, failed: failed === 0 && !report.success ? 1 : failed };
}

/** A report that was never written is a failed run. */
export function readCounts(path: string, options: { readonly skipsFail: boolean }): Counts {
  if (!existsSync(path)) return { passed: 0, failed: 1 };
  return countTests(JSON.parse(readFileSync(path, 'utf8')) as TestReport, options);
}

export const addCounts = (counts: readonly Counts[]): Counts => ({
  passed: counts.reduce((sum, { passed }) => sum + passed, 0),
  failed: counts.reduce((sum, { failed }) => sum + failed, 0),
});

export const summaryLine = ({ passed, failed }: Counts) => `${passed} passed, ${failed} failed`;
