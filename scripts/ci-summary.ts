// Last step of .ci/run: what `npm test` and `npm run verify` reported, as one line. Exit status 1 when anything failed.
import { existsSync, readFileSync } from 'node:fs';
import { TEST_REPORT, VERIFY_REPORT } from './reports.ts';
import { addCounts, readCounts, summaryLine, type Counts } from './test-report.ts';

const checks: Counts = existsSync(VERIFY_REPORT)
  ? (JSON.parse(readFileSync(VERIFY_REPORT, 'utf8')) as Counts)
  : { passed: 0, failed: 1 };
// The unit tests of `verify` are part of `npm test` already: its checks count by failure only.
const counts = addCounts([readCounts(TEST_REPORT, { skipsFail: true }), { passed: 0, failed: checks.failed }]);
console.log(summaryLine(counts));
process.exit(counts.failed > 0 ? 1 : 0);
