import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { PlatformError } from '../../lib/errors.ts';
import { createLimitedProcesses, type LimitedWork } from '../../lib/limited-process.ts';

const work: LimitedWork = {
  script: new URL('limited-example.ts', import.meta.url),
  memoryBytes: 256 * 2 ** 20,
  timeoutMs: 120_000,
  refuse: (rule, message) => new PlatformError('INVALID', message, { details: [{ path: 'body', rule, message }] }),
};
const run = createLimitedProcesses({ concurrent: 2, waiting: 4 });
const rule = (name: string) => ({ code: 'INVALID', details: [{ path: 'body', rule: name }] });

test('a limited process inherits nothing of the environment', async () => {
  expect(process.env['PATH']).toBeDefined();
  await expect(run(work, { does: 'environment' })).resolves.toEqual([]);
});

test('a PlatformError of the script arrives with its code and details', async () => {
  await expect(run(work, { does: 'refuses' })).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    details: [{ path: 'body', rule: 'r', message: 'm' }],
  });
});

test('a process that takes more memory than it may is killed', async () => {
  const before = process.memoryUsage.rss();
  await expect(run(work, { does: 'allocates' })).rejects.toMatchObject(rule('memory'));
  expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
});

test('a process that never ends is killed when its time is up', async () => {
  await expect(run({ ...work, timeoutMs: 800 }, { does: 'loops' })).rejects.toMatchObject(rule('time'));
});

test('a process that crashes refuses the file; a bug of the script is ours', async () => {
  await expect(run(work, { does: 'crashes' })).rejects.toMatchObject(rule('crash'));
  await expect(run(work, { does: 'throws' })).rejects.toThrow(/status 1.*a bug/s);
});

test('an answer of megabytes ends the process instead of filling our memory', async () => {
  await expect(run(work, { does: 'talks' })).rejects.toMatchObject(rule('crash'));
});

test('a caller that goes away ends the process', async () => {
  const leaving = new AbortController();
  const running = run(work, { does: 'loops' }, leaving.signal);
  setTimeout(() => leaving.abort(new Error('gone')), 300);
  await expect(running).rejects.toThrow('gone');
});

test('at most so many run at once, so many wait, and the next is turned away', async () => {
  const small = createLimitedProcesses({ concurrent: 1, waiting: 1 });
  const first = small(work, { does: 'sleeps', ms: 1 });
  const second = small(work, { does: 'sleeps', ms: 2 });
  await expect(small(work, { does: 'sleeps', ms: 3 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  await expect(small(work, { does: 'sleeps', ms: 4 })).resolves.toBe(4);
});

test.runIf(process.platform === 'linux')(
  'a process does not outlive one that was killed, however busy it is',
  async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('limited-parent.ts', import.meta.url))]);
    onTestFinished(() => void parent.kill('SIGKILL'));
    const children = () => readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').then(Number);
    await expect.poll(children, { timeout: 60_000 }).toBeGreaterThan(0);
    const child = await children();
    // Its loop has begun when it has used some processor time.
    const stat = () => readFile(`/proc/${child}/stat`, 'utf8').then((line) => line.split(' '));
    await expect.poll(async () => Number((await stat())[13]), { timeout: 60_000 }).toBeGreaterThan(50);
    parent.kill('SIGKILL');
    // A zombie waits for whoever adopted it.
    const state = () => stat().then((fields) => fields[2], () => 'Z'); // prettier-ignore
    await expect.poll(state, { timeout: 60_000 }).toBe('Z');
  },
);
