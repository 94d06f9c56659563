import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../platform.ts';

const SCRIPT = fileURLToPath(new URL('scoring/swapping-process.ts', import.meta.url));

test.for(['inline', 'thread'])('500 swaps on the lane %s leave the process at most 50 MiB larger', async (lane) => {
  const folder = await temporaryFolder('swaps');
  const args = ['--no-warnings', '--expose-gc', SCRIPT, folder.path, lane, '500'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { growth } = JSON.parse(stdout) as { growth: number };
  console.info(`500 swaps, ${lane}: ${growth.toFixed(1)} MiB`);
  expect(growth).toBeLessThanOrEqual(50);
  await folder.remove();
});
