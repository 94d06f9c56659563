import { afterAll, expect, test } from 'vitest';
import { createCalledThread } from '../../lib/called-thread.ts';

const thread = createCalledThread<{ does: 'add' | 'refuse' | 'break' | 'crash'; value?: number }>({
  script: new URL('called-thread-worker.ts', import.meta.url),
  gone: 'the adder is away',
});
afterAll(thread.close);

test('calls are answered by one thread, which keeps what it has', async () => {
  const calls = [1, 2, 3].map((value) => thread.ask<number>({ does: 'add', value }));
  expect(await Promise.all(calls)).toEqual([1, 3, 6]);
  expect(thread.generation()).toBe(0);
});

test('an expected failure keeps its code and details, a bug its message', async () => {
  const refused = { code: 'INVALID', message: 'no', details: [{ path: 'x', rule: 'r', message: 'm' }] };
  await expect(thread.ask({ does: 'refuse' })).rejects.toMatchObject(refused);
  await expect(thread.ask({ does: 'break' })).rejects.toThrow(new TypeError('a bug'));
});

test('when it ends unasked, what waits is unavailable, and the next call has a new thread', async () => {
  const [crashed, waiting] = [thread.ask({ does: 'crash' }), thread.ask({ does: 'add', value: 1 })];
  await expect(crashed).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'the adder is away' });
  await waiting.catch((error: unknown) => expect(error).toMatchObject({ code: 'UNAVAILABLE' }));
  expect(await thread.ask({ does: 'add', value: 5 })).toBe(5);
  expect(thread.generation()).toBe(1);
});

test('asked to end, it first answers, and then has ended', async () => {
  const last = thread.ask({ does: 'add', value: 2 });
  await thread.close();
  expect(await last).toBe(7);
});
