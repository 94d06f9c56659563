import { expect, test } from 'vitest';
import { createSharedRate } from '../../../lib/rate-limit/shared-rate.ts';
import { createCounters } from './counters.ts';

const policy = { name: 'predict', limit: 10, windowMs: 60_000 };
function processes(maxKeys?: number) {
  const counters = createCounters();
  const process = () => createSharedRate({ policy, maxKeys, now: () => counters.state.now });
  return { ...counters, first: process(), second: process() };
}
const take = (rate: ReturnType<typeof createSharedRate>, key: string, times: number) =>
  Array.from({ length: times }, () => rate.take(key)).filter(({ allowed }) => allowed).length;

test('one process allows the limit, and again when the window is over', () => {
  const { first, state } = processes();
  expect(take(first, 'ada', 12)).toBe(10);
  state.now = 59_000;
  expect(first.take('ada')).toEqual({ allowed: false, remaining: 0, resetMs: 1000 });
  state.now = 60_000;
  expect(first.take('ada')).toEqual({ allowed: true, remaining: 9, resetMs: 60_000 });
});

test('processes learn what the others took, and what is taken meanwhile is not lost', async () => {
  const { first, second, add, pointsOf } = processes();
  take(first, 'ada', 6);
  await first.reconcile(add);
  expect(take(second, 'ada', 1)).toBe(1);
  const reconciling = second.reconcile(add);
  take(second, 'ada', 1);
  await reconciling;
  expect(second.take('ada').remaining).toBe(1);
  await second.reconcile(add);
  expect(pointsOf('ada')).toBe(9);
});

test('beyond the limit passes at most what arrives between two reconciliations', async () => {
  const { first, second, add } = processes();
  let allowed = 0;
  for (let interval = 0; interval < 20; interval++) {
    allowed += take(first, 'ada', 1) + take(second, 'ada', 1);
    await Promise.all([first.reconcile(add), second.reconcile(add)]);
  }
  expect(allowed).toBeGreaterThanOrEqual(10);
  expect(allowed).toBeLessThanOrEqual(12);
});

test('a window that began in another process ends with it', async () => {
  const { first, second, add, state } = processes();
  take(first, 'ada', 1);
  await first.reconcile(add);
  state.now = 40_000;
  take(second, 'ada', 10);
  await second.reconcile(add);
  expect(second.take('ada')).toEqual({ allowed: false, remaining: 0, resetMs: 20_000 });
  state.now = 60_000;
  expect(second.take('ada').allowed).toBe(true);
});

test('without the shared counters it counts on, and tells them all when they are back', async () => {
  const { first, add, state, pointsOf } = processes();
  take(first, 'ada', 6);
  state.reachable = false;
  await expect(first.reconcile(add)).rejects.toThrow('connection refused');
  expect(take(first, 'ada', 9)).toBe(4);
  state.reachable = true;
  await first.reconcile(add);
  expect(pointsOf('ada')).toBe(10);
});

test('what was taken in a window that is over is not counted in the next one', async () => {
  const { first, add, state, pointsOf } = processes();
  take(first, 'ada', 10);
  state.now = 60_000;
  take(first, 'ada', 2);
  await first.reconcile(add);
  expect(pointsOf('ada')).toBe(2);
});

test('a request costs what it says, but never more than the limit', () => {
  const { first } = processes();
  expect(first.take('ada', 4)).toMatchObject({ allowed: true, remaining: 6 });
  expect(first.take('ada', 7)).toMatchObject({ allowed: false, remaining: 6 });
  expect(first.take('bob', 1000)).toMatchObject({ allowed: true, remaining: 0 });
});

test('beyond the number of keys it remembers the oldest is forgotten', () => {
  const { first } = processes(3);
  for (const key of ['a', 'b', 'c', 'd']) take(first, key, 10);
  expect(first.take('d').allowed).toBe(false);
  expect(first.take('b').allowed).toBe(false);
  expect(first.take('a').allowed).toBe(true);
});
