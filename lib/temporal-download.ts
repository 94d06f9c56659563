import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress } from './go-install.ts';

const FIRST_BYTE_MS = 15_000;
const WHOLE_MS = 300_000;

/**
 * Gets the official release through the SDK's own downloader and puts it at `target`. Undefined when that does not work:
 * no access, or nothing received in 15 s. The downloader cannot be cancelled, so it runs in a process of its own.
 */
export async function downloadTemporal(target: string, progress: Progress = () => {}): Promise<string | undefined> {
  progress('no Temporal server on this machine yet: trying to download the official release …');
  const folder = await mkdtemp(join(tmpdir(), 'anneal-temporal-'));
  try {
    const downloader = spawn(process.execPath, ['--no-warnings', fileURLToPath(import.meta.url), folder], {
      stdio: 'ignore',
    });
    const ended = once(downloader, 'exit');
    const timers = [setTimeout(() => downloader.kill('SIGKILL'), WHOLE_MS)];
    timers.push(setTimeout(() => void killIfEmpty(folder, () => downloader.kill('SIGKILL')), FIRST_BYTE_MS));
    const [status] = (await ended) as [number | null];
    timers.forEach(clearTimeout);
    const [file] = status === 0 ? await readdir(folder) : [];
    if (file) return await install(join(folder, file), target);
    progress('the official release cannot be downloaded here');
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function killIfEmpty(folder: string, kill: () => void): Promise<void> {
  if ((await readdir(folder)).length === 0) kill();
}

async function install(file: string, target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  await cp(file, `${target}.part`);
  await chmod(`${target}.part`, 0o755);
  await rename(`${target}.part`, target);
  return target;
}

if (import.meta.main) {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  // The SDK only downloads what it then starts: start it once, on a free port and without data.
  const executable = { type: 'cached-download' as const, downloadDir: process.argv[2]! };
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
  process.exit(0);
}
