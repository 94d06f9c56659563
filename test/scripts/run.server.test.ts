import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../platform.ts';

const RUN = join(import.meta.dirname, '..', '..', 'scripts', 'run.mjs');

/** A project with nothing installed, and an `npm` that installs only the runtime and counts its calls. */
async function project(script: string) {
  const { path, remove } = await temporaryFolder('run');
  onTestFinished(remove);
  await Promise.all([mkdir(join(path, 'scripts')), mkdir(join(path, 'bin'))]);
  await cp(RUN, join(path, 'scripts', 'run.mjs'));
  await writeFile(join(path, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
  await writeFile(join(path, 'main.ts'), script);
  const npm = `#!/bin/sh\necho "$*" >> npm-calls\nmkdir -p node_modules/node/bin && ln -sf ${process.execPath} node_modules/node/bin/node\n`;
  await writeFile(join(path, 'bin', 'npm'), npm);
  await chmod(join(path, 'bin', 'npm'), 0o755);
  const env = { ...process.env, PATH: `${join(path, 'bin')}:${process.env.PATH}` };
  const command = [join(path, 'scripts', 'run.mjs'), 'main.ts', 'a', '--b'];
  const run = () => spawnSync(process.execPath, command, { env, encoding: 'utf8' });
  const start = () => {
    const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGTERM'));
    return child;
  };
  const calls = async () => (await readFile(join(path, 'npm-calls'), 'utf8')).trim().split('\n');
  return { path, run, start, calls };
}

test('installs once, then runs the file with its arguments and ends with its status', async () => {
  const { path, run, calls } = await project(
    'const a: string[] = process.argv.slice(2); console.log(...a); process.exit(7);',
  );
  for (let time = 0; time < 2; time++) {
    const { status, stdout } = run();
    expect([status, stdout]).toEqual([7, 'a --b\n']);
  }
  expect(await calls()).toHaveLength(1);
  await writeFile(
    join(path, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, 'node_modules/x': { version: '1.0.0' } } }),
  );
  run();
  expect(await calls()).toEqual(
    Array.from({ length: 2 }, () => expect.stringMatching(/^ci .*--loglevel error/) as string),
  );
});

test('packages that were installed by hand are not installed again', async () => {
  const { path, run } = await project('process.exit(0)');
  const packages = {
    'node_modules/x': { version: '1.0.0' },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  };
  await writeFile(join(path, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
  run();
  await writeFile(join(path, 'node_modules', '.anneal-lock'), 'another lock file');
  await writeFile(
    join(path, 'node_modules', '.package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/x': { version: '1.0.0' } } }),
  );
  await writeFile(join(path, 'npm-calls'), '');
  expect(run().status).toBe(0);
  expect(await readFile(join(path, 'npm-calls'), 'utf8')).toBe('');
});

test('an install that fails ends it with a message', async () => {
  const { path, run } = await project('');
  await writeFile(join(path, 'bin', 'npm'), '#!/bin/sh\nexit 1\n');
  const { status, stderr } = run();
  expect(status).toBe(1);
  expect(stderr).toContain('npm ci failed (status 1)');
});

test('passes SIGTERM on once, and leaves nothing when it is killed itself', { timeout: 180_000 }, async () => {
  const script = `let n = 0; process.on('SIGTERM', () => { n++; setTimeout(() => { console.log('signals', n); process.exit(0); }, 200); });
    process.on('disconnect', () => { console.log('alone'); process.exit(0); }); setInterval(() => {}, 1000); console.log('up');`;
  const { start } = await project(script);
  const first = start();
  first.stdout.once('data', () => first.kill('SIGTERM'));
  expect(await text(first.stdout)).toBe('up\nsignals 1\n');
  const second = start();
  second.stdout.once('data', () => second.kill('SIGKILL'));
  expect(await text(second.stdout)).toBe('up\nalone\n');
  if (second.exitCode === null && second.signalCode === null) await once(second, 'exit');
});
