import { expect, onTestFinished, test, vi } from 'vitest';
import { measureCost } from '../../../serving/scoring/cost.ts';
import { createRowBuffers } from '../../../serving/scoring/row-buffers.ts';

const LAYOUT = { numbers: ['x'], texts: [], integers: [] };
/** Of a model whose every run takes so long, by a clock that stands still between. */
async function runsOf(ms: number) {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const runs: number[] = [];
  const probabilities = (_: unknown, rows: number) => {
    runs.push(rows);
    vi.advanceTimersByTime(ms);
    return Promise.resolve(new Float32Array(rows));
  };
  const cost = await measureCost({ probabilities, release: () => Promise.resolve() }, createRowBuffers(LAYOUT, 256));
  return { cost, runs };
}

test('what a light model costs is the median of many runs of each size', async () => {
  const { cost, runs } = await runsOf(1);
  expect(runs).toEqual([1, 32, 256].flatMap((rows) => Array<number>(100).fill(rows)));
  for (const us of Object.values(cost)) expect(us).toBeGreaterThan(0);
});

test('a slow model is run once for each size', async () => {
  const { cost, runs } = await runsOf(320);
  expect(runs).toEqual([1, 32, 256]);
  for (const us of Object.values(cost)) expect(us).toBeGreaterThan(300_000);
});
