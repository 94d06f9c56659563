// `npm test`: gets the servers that tests start, then runs all tests. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { findMinio } from '../lib/minio-server.ts';
import { findCollector } from '../lib/otel-collector.ts';
import { findTemporal } from '../lib/temporal-server.ts';
import { findVersitygw } from '../test/versitygw.ts';
import { TEST_REPORT } from './reports.ts';
import { readCounts, summaryLine } from './test-report.ts';

const root = join(import.meta.dirname, '..');
const progress = (line: string) => console.log(`set-up: ${line}`);
await findTemporal({ progress });
await findMinio({ progress });
await findVersitygw({ progress });
await findCollector({ progress });

rmSync(TEST_REPORT, { force: true });
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${TEST_REPORT}`];
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
const counts = readCounts(TEST_REPORT, { skipsFail: Boolean(process.env.CI) });
console.log(summaryLine(counts));
process.exit(counts.failed > 0 ? 1 : (status ?? 1));
