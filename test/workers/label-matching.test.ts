import { expect, test, vi } from 'vitest';
import { startLabelMatching } from '../../workers/label-matching.ts';

const log = () => ({ info: vi.fn(), warn: vi.fn() });

test('labels that wait are looked through until none is due, again and again, also after a failure', async () => {
  const passes = Promise.withResolvers<void>();
  const matchPending = vi.fn(() => {
    const call = matchPending.mock.calls.length;
    if (call === 1) return Promise.resolve({ looked: 1000, matched: 999, refused: 1 });
    if (call === 3) return Promise.reject(new Error('no database'));
    if (call === 4) passes.resolve();
    return Promise.resolve({ looked: 0, matched: 0, refused: 0 });
  });
  const lines = log();
  const matching = startLabelMatching({ labels: { matchPending }, log: lines, everyMs: 1 });
  await passes.promise;
  await matching.stop();
  expect(lines.info).toHaveBeenCalledExactlyOnceWith({ matched: 999 }, expect.any(String));
  expect(lines.warn.mock.calls).toEqual([
    [{ refused: 1 }, expect.any(String)],
    [{ err: expect.any(Error) as Error }, expect.any(String)],
  ]);
});
