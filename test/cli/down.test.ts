import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endPlatform } from '../../cli/down.ts';
import { temporaryFolder } from '../platform.ts';

async function home() {
  const { path, remove } = await temporaryFolder('down');
  onTestFinished(remove);
  return path;
}
/** Has the home as `anneal up` has it, and takes a moment to end when it is asked to. */
async function owner(path: string) {
  const lock = new URL('../../cli/home-lock.ts', import.meta.url).href;
  const program = `
    const { lockHome } = await import('${lock}');
    const unlock = lockHome('${path}');
    process.on('SIGTERM', () => setTimeout(() => { unlock(); process.exit(7); }, 300));
    setInterval(() => {}, 1000);
    console.log('locked');`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return { pid: child.pid!, ended };
}

test('the owner of the home is asked to end, and is waited for', async () => {
  const path = await home();
  const { pid, ended } = await owner(path);
  const said: string[] = [];
  expect(await endPlatform([join(path, 'none'), path], (line) => said.push(line))).toBe(1);
  expect(existsSync(join(path, 'anneal.lock'))).toBe(false);
  expect(await ended).toEqual([7, null]);
  expect(said).toEqual([`stopping process ${pid} …`]);
});

test('where none runs, nobody is asked: not even a process that has the number of an earlier owner now', async () => {
  const path = await home();
  const say = () => expect.unreachable();
  expect(await endPlatform([path], say)).toBe(0);
  await writeFile(join(path, 'anneal.lock'), JSON.stringify({ pid: process.pid, started: '1' }));
  expect(await endPlatform([path], say)).toBe(0);
});
