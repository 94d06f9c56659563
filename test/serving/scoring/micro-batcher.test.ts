import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createMicroBatcher } from '../../../serving/scoring/micro-batcher.ts';
import type { RowBuffers } from '../../../serving/scoring/row-buffers.ts';

const layout = { numbers: ['x'], texts: [], integers: [] };
const write = (x: number) => (buffers: RowBuffers, index: number) => ((buffers.numbers[index] = x), x !== -1);

/** Answers x / 100 in a later turn, as ONNX Runtime does; fails where a row is 13. */
function setUp(maxRows = 64) {
  const batches: number[][] = [];
  const probabilities = async ({ numbers }: RowBuffers, rows: number) => {
    await nextTurn();
    const values = [...numbers.subarray(0, rows)];
    batches.push(values);
    if (values.includes(13)) throw new RangeError('13 brings bad luck');
    return Float32Array.from(values, (value) => value / 100);
  };
  const batcher = createMicroBatcher({ session: { probabilities }, layout, maxRows });
  return { batcher, batches, add: (x: number) => batcher.add(write(x))! };
}
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value / 100, 6) as number);

test('rows of one turn are scored together, those that come meanwhile next', async () => {
  const { batcher, batches, add } = setUp();
  const first = Promise.all([1, 2, 3].map(add));
  expect(batcher.depth()).toBe(3);
  await nextTurn();
  const second = Promise.all([4, 5].map(add));
  expect(await first).toEqual(close([1, 2, 3]));
  expect(await second).toEqual(close([4, 5]));
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(batcher.depth()).toBe(0);
});

test('more rows than fit make several batches, each answered in order', async () => {
  const { batches, add } = setUp(4);
  const rows = Array.from({ length: 10 }, (_, index) => index + 20);
  expect(await Promise.all(rows.map(add))).toEqual(close(rows));
  expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
});

test('a row that breaks a rule takes no place', async () => {
  const { batcher, batches, add } = setUp();
  expect(batcher.add(write(-1))).toBeNull();
  const scored = add(7);
  expect(batcher.add(write(-1))).toBeNull();
  expect(await scored).toBeCloseTo(0.07);
  await nextTurn();
  expect(batches).toEqual([[7]]);
});

test('a row that makes a batch fail fails alone', async () => {
  const { batcher, add } = setUp();
  const results = await Promise.allSettled([1, 13, 3].map(add));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await add(5)).toBeCloseTo(0.05);
  expect(batcher.depth()).toBe(0);
});

test('a row that is answered no number fails alone', async () => {
  const { add } = setUp();
  const [good, bad] = await Promise.allSettled([add(1), add(NaN)]);
  expect(good.status).toBe('fulfilled');
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'MODEL_INVALID' } });
});

test('thousands of rows in random bursts each get their own answer', async () => {
  const { add } = setUp(16);
  const answers: Promise<void>[] = [];
  for (let burst = 0; burst < 200; burst++) {
    for (let row = 0; row < burst % 37; row++) {
      const x = burst * 100 + row;
      if (x !== 13) answers.push(add(x).then((answer) => expect(answer).toBeCloseTo(x / 100, 3)));
    }
    await nextTurn();
  }
  await Promise.all(answers);
});
