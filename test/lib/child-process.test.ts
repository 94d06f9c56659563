import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isAlive, isAliveAs } from '../../lib/child-process.ts';

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
