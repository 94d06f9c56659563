import { expect, test } from 'vitest';
import { trainGradientBoosting } from '../../ml/boosting/train.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { createRandom, normal } from '../../ml/random.ts';
import type { Checkpoint, TrainHooks } from '../../ml/train-hooks.ts';

function rowsOf(rows: number, seed: number): Matrix {
  const random = createRandom(seed);
  const data = [0, 1, 2].map(() => Float32Array.from({ length: rows }, () => normal(random)));
  const target = Uint8Array.from({ length: rows }, (_, row) => (data[0]![row]! + 2 * normal(random) > 0 ? 1 : 0));
  return { columns: ['a', 'b', 'c'], rows, data, target };
}

const params = {
  trees: 200,
  learning_rate: 0.2,
  max_leaves: 6,
  min_rows_per_leaf: 10,
  l2: 1,
  class_weight: 'balanced',
  early_stopping_rounds: 8,
} as const;
const train = (hooks: Partial<TrainHooks>) =>
  trainGradientBoosting(rowsOf(800, 1), rowsOf(400, 2), params, { seed: 1, ...hooks });

test('ends as the uninterrupted run from any checkpoint, also from one past the best iteration', () => {
  const checkpoints: string[] = [];
  const whole = train({
    checkpointEvery: 3,
    onCheckpoint: (checkpoint) => void checkpoints.push(JSON.stringify(checkpoint)),
  });
  const sizes = checkpoints.map((text) => (JSON.parse(text) as Checkpoint).trees.length);
  expect(sizes[0]).toBe(3);
  expect(sizes.at(-1)).toBeGreaterThan(whole.iterations);
  for (const text of checkpoints) expect(train({ resume: JSON.parse(text) as Checkpoint })).toEqual(whole);
});

test('goes on from the checkpoint instead of starting over', () => {
  let checkpoint: Checkpoint | undefined;
  train({ checkpointEvery: 4, onCheckpoint: (latest) => (checkpoint ??= latest) });
  const iterations: number[] = [];
  train({ resume: checkpoint, onProgress: ({ iteration }) => void iterations.push(iteration) });
  expect(iterations[0]).toBe(5);
});

test('ends at once with the error that a hook throws', () => {
  let calls = 0;
  const cancel = () => {
    calls++;
    throw new Error('cancelled');
  };
  expect(() => train({ onProgress: cancel })).toThrow('cancelled');
  expect(calls).toBe(1);
});
