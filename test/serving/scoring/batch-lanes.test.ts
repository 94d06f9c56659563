import { expect, test } from 'vitest';
import { createBatchLanes } from '../../../serving/scoring/batch-lanes.ts';

const KIB = 1024;

/** Batches whose work never ends, on a thread that counts them. */
function start() {
  let depth = 0;
  const lanes = createBatchLanes({ depth: () => depth });
  const taken: string[] = [];
  const ends: (() => void)[] = [];
  const run = (bytes: number, isHeavy = false) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    const on = (lane: string) => () => {
      taken.push(lane);
      if (lane === 'thread') depth++;
      return promise;
    };
    return lanes({ bytes, isHeavy }, on('loop'), on('thread'));
  };
  return { run, taken, ends };
}

test('small batches stay on the loop and large ones never do', () => {
  const { run, taken } = start();
  for (const bytes of [8 * KIB, 8 * KIB, 64 * KIB + 1, 64 * KIB + 1]) void run(bytes);
  expect(taken).toEqual(['loop', 'loop', 'thread', 'thread']);
});

test('those in between go where fewer wait, to the thread first', async () => {
  const { run, taken, ends } = start();
  const begun = Array.from({ length: 7 }, () => run(20 * KIB));
  expect(taken.join(' ')).toBe('thread thread thread loop thread loop thread');
  for (const end of ends) end();
  await Promise.all(begun);
  void run(20 * KIB);
  expect(taken.at(-1)).toBe('loop'); // the thread still says that five wait, and nobody does on the loop
});

test('those of a model that has a thread of its own leave the batch thread alone, unless reading them takes long', () => {
  const { run, taken } = start();
  void run(20 * KIB, true);
  void run(65 * KIB, true);
  expect(taken).toEqual(['loop', 'thread']);
});

test('a batch that fails waits no longer', async () => {
  const lanes = createBatchLanes({ depth: () => 3 });
  const batch = { bytes: 20 * KIB, isHeavy: false };
  const failed = lanes(
    batch,
    () => Promise.reject(new Error('wrong')),
    () => Promise.resolve('thread'),
  );
  await expect(failed).rejects.toThrow('wrong');
  const next = lanes(
    batch,
    () => Promise.resolve('loop'),
    () => Promise.resolve('thread'),
  );
  expect(await next).toBe('loop');
});
