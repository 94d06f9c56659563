import { ApplicationFailure } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AwaitDriftWorkInput, DriftWork } from '../../activities/drift.ts';
import { type AllActivities, brokenContract, fakeActivities } from './fake-activities.ts';
import { historyLengths, startJob, startTemporal, withWorkers } from './temporal.ts';

let temporal: Awaited<ReturnType<typeof startTemporal>>;
beforeAll(async () => void (temporal = await startTemporal()));
afterAll(() => temporal.stop());

const nothingYet = () =>
  ApplicationFailure.create({
    type: 'NOTHING_YET',
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: '10 milliseconds',
  });

/** Runs a watch to its end: `work` says what there is to do; what was asked for and computed is noted. */
async function watch(work: (input: AwaitDriftWorkInput) => DriftWork | null, replace: Partial<AllActivities> = {}) {
  const asked: AwaitDriftWorkInput[] = [];
  const computed: number[] = [];
  const { activities } = fakeActivities({
    awaitDriftWork: (input) => {
      asked.push(input);
      const next = work(input);
      return next === null ? Promise.reject(nothingYet()) : Promise.resolve(next);
    },
    computeDrift: ({ sequence }) => {
      computed.push(sequence);
      return Promise.resolve({ reported: true });
    },
    ...replace,
  });
  return await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'watchDrift');
    await handle.result();
    return { asked, computed, lengths: await historyLengths(temporal.client, handle) };
  });
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const upTo =
  (count: number) =>
  ({ after }: AwaitDriftWorkInput): DriftWork =>
    after < count ? { kind: 'window', sequence: after + 1 } : { kind: 'over' };

test('windows are computed one after the other until the period is over', async () => {
  const { computed, asked } = await watch(upTo(4));
  expect(computed).toEqual([1, 2, 3, 4]);
  expect(asked.map(({ after }) => after)).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(asked.map(({ endpoint, since }) => `${endpoint} ${since}`)).size).toBe(1);
});

test('waiting adds nothing to the history', async () => {
  let polls = 0;
  const { computed, lengths } = await watch((input) => (++polls % 5 === 0 ? upTo(2)(input) : null));
  expect(polls).toBe(15);
  expect(computed).toEqual([1, 2]);
  const { lengths: withoutWaiting } = await watch(upTo(2));
  expect(lengths).toHaveLength(1);
  expect(lengths[0]).toBeLessThan(withoutWaiting[0]! + 10); // twelve attempts would be five events each
});

test('a hundred windows in one period keep every history within 400 events, and are computed once each, in order', async () => {
  const { asked, computed, lengths } = await watch(upTo(100));
  expect(computed).toEqual(numbers(100));
  expect(lengths.length).toBeGreaterThan(2);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(400);
  expect(new Set(asked.map(({ since }) => since)).size).toBe(1);
});

test('a window that cannot be computed does not hold up those after it', async () => {
  const computed: number[] = [];
  await watch(upTo(4), {
    computeDrift: ({ sequence }) => {
      if (sequence === 2) return brokenContract();
      computed.push(sequence);
      return Promise.resolve({ reported: true });
    },
  });
  expect(computed).toEqual([1, 3, 4]);
});

test('what follows from a window is done also when there is nothing to compare it with', async () => {
  const judged: number[] = [];
  await watch(upTo(2), {
    computeDrift: ({ sequence }) => Promise.resolve({ reported: sequence === 2 }),
    judgeWindow: ({ sequence }) => {
      judged.push(sequence);
      return Promise.resolve({ retraining: null, deliveries: [] });
    },
  });
  expect(judged).toEqual([1, 2]);
});
