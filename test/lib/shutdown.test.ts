import { expect, test, vi } from 'vitest';
import { createShutdown } from '../../lib/shutdown.ts';

const quiet = () => ({ info: vi.fn(), error: vi.fn() });
const start = (graceMs = 60_000, log = quiet()) => createShutdown({ log: log as never, graceMs });

test('closes in reverse order, each after the one before it has closed', async () => {
  const order: string[] = [];
  const shutdown = start();
  shutdown.defer('first', () => order.push('first'));
  shutdown.defer('second', async () => {
    await new Promise(setImmediate);
    order.push('second');
  });
  expect(await shutdown.run('test')).toBe(true);
  expect(order).toEqual(['second', 'first']);
});

test('a second call closes nothing twice', async () => {
  const close = vi.fn();
  const shutdown = start();
  shutdown.defer('it', close);
  await Promise.all([shutdown.run('a'), shutdown.run('b')]);
  expect(close).toHaveBeenCalledTimes(1);
});

test('what fails to close is reported and does not keep the others open', async () => {
  const log = quiet();
  const close = vi.fn();
  const shutdown = start(60_000, log);
  shutdown.defer('good', close);
  shutdown.defer('bad', () => Promise.reject(new Error('stuck')));
  expect(await shutdown.run('test')).toBe(false);
  expect(close).toHaveBeenCalled();
  expect(log.error).toHaveBeenCalledWith(expect.anything(), 'closing bad failed');
});

test('what never closes does not hold the process', async () => {
  const shutdown = start(10);
  shutdown.defer('hangs', () => new Promise(() => {}));
  expect(await shutdown.run('test')).toBe(false);
});

test('what closed in time is not called late afterwards', async () => {
  const log = quiet();
  const shutdown = start(10, log);
  expect(await shutdown.run('test')).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(log.error).not.toHaveBeenCalled();
});
