import { expect, test, vi } from 'vitest';
import { createExactRate } from '../../../lib/rate-limit/exact-rate.ts';
import type { AddCounts, Taken } from '../../../lib/rate-limit/rate-limiter.ts';
import { createCounters } from './counters.ts';

const policy = { name: 'general', limit: 5, windowMs: 60_000 };
function twoProcesses(add?: AddCounts) {
  const counters = createCounters();
  const log = { warn: vi.fn() };
  const process = () =>
    createExactRate({
      policy,
      add: add ?? counters.add,
      log,
      now: () => counters.state.now,
      pauseMs: 2000,
      patienceMs: 20,
    });
  return { ...counters, log, first: process(), second: process() };
}
const allowedOf = async (taken: readonly (Taken | Promise<Taken>)[]) =>
  (await Promise.all(taken.map(async (each) => await each))).filter(({ allowed }) => allowed).length;

test('two processes together allow the limit and not one more', async () => {
  const { first, second } = twoProcesses();
  const taken = Array.from({ length: 12 }, (_, index) => (index % 2 ? first : second).take('ada'));
  expect(await allowedOf(taken)).toBe(5);
  expect(await second.take('bob')).toEqual({ allowed: true, remaining: 4, resetMs: 60_000 });
});

test('a burst costs few statements', async () => {
  const { first, state } = twoProcesses();
  const burst = ['ada', 'bob'].flatMap((key) => Array.from({ length: 500 }, () => first.take(key)));
  expect(await allowedOf(burst)).toBe(10);
  expect(state.asked).toBeLessThanOrEqual(2);
});

test('a key that is known to be over its limit is refused without asking', async () => {
  const { first, state } = twoProcesses();
  for (let request = 0; request < 6; request++) await first.take('ada');
  const { asked } = state;
  state.now = 15_000;
  expect(await first.take('ada')).toEqual({ allowed: false, remaining: 0, resetMs: 45_000 });
  expect(state.asked).toBe(asked);
  state.now = 60_000;
  expect(await first.take('ada')).toMatchObject({ allowed: true, remaining: 4 });
});

test('a counter that cannot be reached neither stops requests nor lifts the limit', async () => {
  const { first, state, log } = twoProcesses();
  await first.take('ada');
  state.reachable = false;
  expect(await allowedOf(Array.from({ length: 10 }, () => first.take('ada')))).toBe(4);
  expect(log.warn).toHaveBeenCalledTimes(1);
  expect(await allowedOf(Array.from({ length: 10 }, () => first.take('bob')))).toBe(5);
});

test('a counter that failed is asked again after a pause', async () => {
  const { first, state } = twoProcesses();
  state.reachable = false;
  await first.take('ada');
  state.reachable = true;
  await first.take('ada');
  expect(state.asked).toBe(1);
  state.now = 2000;
  await first.take('ada');
  expect(state.asked).toBe(2);
});

test('a counter that says nothing holds up requests for a moment, and later ones not at all', async () => {
  let asked = 0;
  const { first } = twoProcesses(() => (asked++, new Promise(() => undefined)));
  const held = [first.take('ada')];
  await Promise.resolve();
  held.push(first.take('ada'));
  expect(await allowedOf(held)).toBe(2);
  expect(await allowedOf(Array.from({ length: 9 }, () => first.take('ada')))).toBe(3);
  expect(asked).toBe(1);
});
