import { expect, test } from 'vitest';
import { createWindows, takenFrom } from '../../../lib/rate-limit/windows.ts';

test('a window that has just begun lasts exactly its length, at any fraction of a millisecond', () => {
  const policy = { name: 'general', limit: 2, windowMs: 60_000 };
  const windows = createWindows(policy, 10_000);
  for (let step = 0; step < 5_000; step++) {
    const now = step * 37.123_456_7;
    const taken = takenFrom(windows.at(String(step), now), policy, true, now);
    expect(taken.resetMs).toBe(60_000);
  }
});
