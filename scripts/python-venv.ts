import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../lib/cache-folder.ts';

const run = promisify(execFile);

/**
 * A Python with the pinned packages of `requirementsPath`, made on first use and kept in the cache folder. Throws an
 * Error that says what to install when there is no usable python3.
 * @returns path of the python executable
 */
export async function pythonVenv(requirementsPath: string): Promise<string> {
  const requirements = await readFile(requirementsPath, 'utf8');
  const python = await systemPython();
  const key = createHash('sha256').update(`${python.version}\n${requirements}`).digest('hex').slice(0, 12);
  const venvs = join(cacheFolder(), 'venvs');
  const venv = join(venvs, key);
  if (!(await exists(venv))) await build(requirementsPath, venvs, venv);
  return executable(venv);
}

const executable = (venv: string) => join(venv, 'bin', 'python');

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function systemPython(): Promise<{ version: string }> {
  try {
    const { stdout } = await run('python3', ['--version']);
    return { version: stdout.trim() };
  } catch (cause) {
    throw new Error('python3 is needed for the comparison with Python packages: install Python 3.11 or newer', {
      cause,
    });
  }
}

// Built beside and renamed, so that a half-made environment is never used and two processes do not disturb each other.
async function build(requirementsPath: string, venvs: string, venv: string): Promise<void> {
  const unfinished = join(venvs, `unfinished-${randomUUID()}`);
  await mkdir(venvs, { recursive: true });
  try {
    await step('python3', ['-m', 'venv', unfinished]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
    await step(executable(unfinished), [...pip, '-r', requirementsPath]);
    await rename(unfinished, venv);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(venv))) throw error;
  }
}

async function step(command: string, args: string[]): Promise<void> {
  try {
    await run(command, args, { maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    const output = `${stdout}${stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new Error(`'${args.slice(0, 3).join(' ')}' failed while making a Python environment:\n${output}`, { cause });
  }
}
