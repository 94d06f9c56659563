import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive, isAliveAs, waitUntilReady } from '../../lib/child-process.ts';
import { temporaryFolder } from '../platform.ts';

test('a process is known by a word of its command line', () => {
  expect(isAliveAs(process.pid, 'node')).toBe(true);
  expect(isAliveAs(process.pid, 'no such word')).toBe(false);
});

test.runIf(process.platform === 'linux')('a thread is no process, though a signal would reach it', () => {
  const threads = readdirSync('/proc/self/task').map(Number);
  const thread = threads.find((id) => id !== process.pid)!;
  expect(isAlive(thread)).toBe(true);
  expect(isAliveAs(thread, 'node')).toBe(false);
});

test.each([
  ['says that it is not ready', () => Promise.resolve(false)],
  ['never answers', () => Promise.withResolvers<boolean>().promise],
])('a program that %s is said not to have answered in time, though it ends when it is stopped', async (_, answers) => {
  const { path, remove } = await temporaryFolder('child');
  onTestFinished(remove);
  const logFile = join(path, 'program.log');
  writeFileSync(logFile, 'starting\n');
  const ending = Promise.withResolvers<number>();
  const stop = async () => {
    ending.resolve(0);
    await ending.promise;
  };
  const program = { pid: process.pid, ended: ending.promise, stop };
  const silent = waitUntilReady(program, { name: 'Echo', logFile }, answers, 100);
  await expect(silent).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'Echo did not answer within 0.1 s. The end of its log:\nstarting',
  });
});
