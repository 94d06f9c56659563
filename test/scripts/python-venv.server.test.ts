import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pythonVenv } from '../../scripts/python-venv.ts';

// A python3 that makes environments in no time; its pip refuses a line that says `unknown`. The real one is used by the
// comparisons with Python packages.
const PYTHON = `#!/bin/sh
case "$*" in
  --version) echo "Python 3.11.0" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip install "*) for file; do :; done; sleep 0.2; ! grep unknown "$file" ;;
esac
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-venv-'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'python3'), PYTHON, { mode: 0o755 });
  vi.stubEnv('ANNEAL_CACHE', folder);
  vi.stubEnv('PATH', [join(folder, 'bin'), process.env['PATH']].join(delimiter));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function requirements(text: string): Promise<string> {
  const path = join(folder, 'requirements.txt');
  await writeFile(path, text);
  return path;
}

test('two at once get the same environment, and nothing half-made is left', async () => {
  const path = await requirements('# nothing\n');
  const [first, second] = await Promise.all([pythonVenv(path), pythonVenv(path)]);
  expect(second).toBe(first);
  expect(await pythonVenv(path)).toBe(first);
  expect(await readdir(join(folder, 'venvs'))).toHaveLength(1);
});

test('requirements that cannot be installed say so and leave no environment behind', async () => {
  const path = await requirements('unknown==1\n');
  await expect(pythonVenv(path)).rejects.toThrow(/'-m pip install' failed .*unknown==1/s);
  expect(await readdir(join(folder, 'venvs'))).toEqual([]);
});

test('a machine without python3 is told what to install', async () => {
  const path = await requirements('# nothing\n');
  vi.stubEnv('PATH', folder);
  await expect(pythonVenv(path)).rejects.toThrow('python3 is needed');
});
