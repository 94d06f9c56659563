import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockHome } from '../../cli/home-lock.ts';
import { temporaryFolder } from '../platform.ts';

async function home() {
  const { path, remove } = await temporaryFolder('lock');
  onTestFinished(remove);
  return path;
}

test('a second owner is told who has the folder', async () => {
  const path = await home();
  lockHome(path);
  expect(() => lockHome(path)).toThrow(new RegExp(`already runs on .*process ${process.pid}.*ANNEAL_HOME`));
});

test('the folder is free after the first owner let go', async () => {
  const path = await home();
  lockHome(path)();
  expect(await readdir(path)).toEqual([]);
  expect(() => lockHome(path)).not.toThrow();
});

test('the lock of a process that is gone, or whose pid another one has now, does not hold', async () => {
  const path = await home();
  for (const owner of [{ pid: 2 ** 22 + 1, started: '1' }, { pid: process.pid, started: '1' }, 'half a lo']) {
    await writeFile(join(path, 'anneal.lock'), JSON.stringify(owner));
    const unlock = lockHome(path);
    unlock();
  }
});
