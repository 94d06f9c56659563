import { expect, test } from 'vitest';
import { addCounts, countTests, readCounts, summaryLine, type TestReport } from '../../scripts/test-report.ts';

const report = (changes: Partial<TestReport> = {}): TestReport => ({
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] }],
  ...changes,
});
const strict = { skipsFail: true };

test('counts passed and failed tests', () => {
  const testResults = [{ name: 'a', status: 'failed', assertionResults: [{ status: 'failed' }] }];
  expect(countTests(report({ success: false, numFailedTests: 1, testResults }), strict)).toEqual({
    passed: 3,
    failed: 1,
  });
});

test('a file that does not load is a failure', () => {
  const testResults = [{ name: 'a', status: 'failed', assertionResults: [] }];
  expect(countTests(report({ success: false, testResults }), strict)).toEqual({ passed: 3, failed: 1 });
});

test('a run that failed outside of its tests is a failure', () => {
  expect(countTests(report({ success: false }), strict)).toEqual({ passed: 3, failed: 1 });
});

test('a skipped test is a failure where skips are not allowed', () => {
  const skipped = report({ numPendingTests: 1, numTodoTests: 1 });
  expect(countTests(skipped, strict).failed).toBe(2);
  expect(countTests(skipped, { skipsFail: false }).failed).toBe(0);
});

test('a report that was not written is a failure', () => {
  expect(readCounts('/no/such/report.json', strict)).toEqual({ passed: 0, failed: 1 });
});

test('the summary adds up', () => {
  expect(
    summaryLine(
      addCounts([
        { passed: 3, failed: 1 },
        { passed: 0, failed: 2 },
      ]),
    ),
  ).toBe('3 passed, 3 failed');
});
