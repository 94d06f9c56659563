import { expect, test, vi } from 'vitest';
import { keepRunning, type Running } from '../../lib/keep-running.ts';

const SOON = { timeout: 60_000 };

/** Something that runs until `die` or `stop`. */
function fake(pid: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = vi.fn(() => Promise.resolve(resolve()));
  return { pid, ended: promise, stop, die: () => resolve() };
}
const options = () => ({ name: 'it', report: vi.fn<(line: string) => void>(), firstDelayMs: 1 });

test('starts again what died, handing over what ran before, and says so', async () => {
  const first = fake(1);
  const second = fake(2);
  const start = vi
    .fn<(previous?: Running) => Promise<Running>>()
    .mockResolvedValueOnce(first)
    .mockResolvedValueOnce(second);
  const { report, ...rest } = options();
  const kept = await keepRunning(start, { ...rest, report });
  first.die();
  await vi.waitFor(() => expect(kept.current().pid).toBe(2), SOON);
  expect(start.mock.calls).toEqual([[undefined], [first]]);
  expect(report.mock.calls.flat().join('\n')).toMatch(/it ended unexpectedly[^]*it runs again \(process 2\)/);
  await kept.stop();
});

test('goes on trying when a new start fails', async () => {
  const first = fake(1);
  const start = vi
    .fn<() => Promise<Running>>()
    .mockResolvedValueOnce(first)
    .mockRejectedValueOnce(new Error('not yet'))
    .mockResolvedValueOnce(fake(3));
  const kept = await keepRunning(start, options());
  first.die();
  await vi.waitFor(() => expect(kept.current().pid).toBe(3), SOON);
  await kept.stop();
});

test('does not start again what was stopped', async () => {
  const only = fake(1);
  const start = vi.fn(() => Promise.resolve(only));
  const kept = await keepRunning(start, options());
  await kept.stop();
  expect(only.stop).toHaveBeenCalled();
  expect(start).toHaveBeenCalledTimes(1);
});

test('a first start that fails is the caller’s', async () => {
  await expect(keepRunning(() => Promise.reject(new Error('no')), options())).rejects.toThrow('no');
});
