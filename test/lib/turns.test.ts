import { expect, test } from 'vitest';
import { createTurns } from '../../lib/turns.ts';

test('no more than allowed runs at once, the rest in turn, and too many are refused', async () => {
  const inTurn = createTurns({ concurrent: 2, waiting: 3 });
  const begun: number[] = [];
  const doors = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const work = doors.map(({ promise }, index) => inTurn(() => (begun.push(index), promise)));
  await expect(work[5]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(begun).toEqual([0, 1]);
  doors[1]!.resolve();
  await work[1];
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of doors) resolve();
  await Promise.all(work.slice(0, 5));
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('work that fails gives its turn away', async () => {
  const inTurn = createTurns({ concurrent: 1, waiting: 1 });
  const failing = inTurn(() => Promise.reject(new Error('no')));
  const next = inTurn(() => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
