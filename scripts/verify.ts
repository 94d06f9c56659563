// `npm run verify`: everything that needs no server, in under a minute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { UNIT_REPORT, VERIFY_REPORT } from './reports.ts';

const root = join(import.meta.dirname, '..');
const inModules = (path: string) => join(root, 'node_modules', path);
const checks = [
  { name: 'types', command: [inModules('typescript/bin/tsc'), '-p', root] },
  { name: 'lint and folder borders', command: [inModules('eslint/bin/eslint.js'), '.', '--max-warnings', '0'] },
  { name: 'format', command: [inModules('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'tests without servers',
    command: [inModules('vitest/vitest.mjs'), 'run', '--project', 'unit', '--reporter=dot', '--reporter=json'],
    extra: [`--outputFile.json=${UNIT_REPORT}`],
  },
];

rmSync(VERIFY_REPORT, { force: true });
const started = performance.now();
const results = await Promise.all(checks.map(({ name, command, extra = [] }) => check(name, [...command, ...extra])));
const failed = results.filter((passed) => !passed).length;
mkdirSync(dirname(VERIFY_REPORT), { recursive: true });
writeFileSync(VERIFY_REPORT, JSON.stringify({ passed: results.length - failed, failed }));
console.log(`${results.length - failed} of ${results.length} checks passed in ${seconds(started)}`);
process.exit(failed > 0 ? 1 : 0);

/** Prints one line when it passes, the program's whole output when it does not. */
async function check(name: string, command: readonly string[]): Promise<boolean> {
  const since = performance.now();
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const output = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await ended) as [number | null];
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(since)})`);
  if (status !== 0) console.log(output.join('\n').trim());
  return status === 0;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
