import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lessIsBetter, moreIsBetter, report, sameWithin, shortfalls, spreadOf } from '../../bench/report.ts';

const times = { what: 'time', unit: 's', ours: [3, 1, 2], peer: [8, 4, 6], peer_name: 'peer' };

test('takes the median of odd and even counts, beside min and max', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test('calls ours three times better when it needs a third, and misses a goal above that', () => {
  expect(lessIsBetter(times, 3)).toMatchObject({ ratio: 3, goal: 'ratio >= 3', met: true });
  expect(lessIsBetter(times, 3.1).met).toBe(false);
});

test('calls ours two times better when it does twice as much, and a row without a goal is never missed', () => {
  const rate = { ...times, ours: [20, 12, 8], peer: [6, 5, 7] };
  expect(moreIsBetter(rate, 2)).toMatchObject({ ratio: 2, goal: 'ratio >= 2', met: true });
  expect(moreIsBetter(rate, 2.1).met).toBe(false);
  expect(moreIsBetter({ ...rate, ours: [1] })).toMatchObject({ goal: 'none', met: true });
});

test('finds outputs the same only within the tolerance, either way round', () => {
  const outputs = { ...times, ours: [0.8], peer: [0.803] };
  expect(sameWithin(outputs, 0.004).met).toBe(true);
  expect(sameWithin(outputs, 0.002).met).toBe(false);
  expect(sameWithin({ ...outputs, ours: [0.806] }, 0.002).met).toBe(false);
});

test('writes the outcome with time and machine, and names only the rows that fall short', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-report-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  vi.spyOn(console, 'log').mockReturnValue();
  vi.spyOn(console, 'table').mockReturnValue();
  const outcome = {
    name: 'demo',
    rounds: 3,
    rows: [lessIsBetter(times, 2), lessIsBetter({ ...times, what: 'memory' }, 9)],
  };
  await report(outcome, join(folder, 'results', 'demo.json'));
  const written = JSON.parse(await readFile(join(folder, 'results', 'demo.json'), 'utf8')) as Record<string, unknown>;
  expect(Object.keys(written)).toEqual(['name', 'measured_at', 'machine', 'rounds', 'rows']);
  expect(written).toMatchObject(outcome);
  expect(Object.keys((written['rows'] as object[])[0]!).sort()).toEqual([
    'goal',
    'met',
    'ours',
    'peer',
    'peer_name',
    'ratio',
    'unit',
    'what',
  ]);
  expect(shortfalls(outcome)).toEqual(['memory: ratio 3.000 to peer, goal ratio >= 9']);
  expect(shortfalls({ ...outcome, rows: [], left_out: ['other: does not start'] })).toEqual([
    'left out: other: does not start',
  ]);
});
