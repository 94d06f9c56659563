import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AllActivities } from './fake-activities.ts';
import { pauseSignal, resumeSignal, statusQuery } from '../../workflows/messages.ts';
import { brokenContract, endlessTraining, fakeActivities } from './fake-activities.ts';
import { historyLengths, startJob, startTemporal, withWorkers } from './temporal.ts';

const SOON = { timeout: 60_000 };

let temporal: Awaited<ReturnType<typeof startTemporal>>;
beforeAll(async () => void (temporal = await startTemporal()));
afterAll(() => temporal.stop());

/** Chunks of a batch that wait until they are let go. */
function heldChunks() {
  const gates: (() => void)[] = [];
  const started: number[] = [];
  let isOpen = false;
  const scoreChunk: AllActivities['scoreChunk'] = async ({ chunk }) => {
    started.push(chunk);
    if (!isOpen) await new Promise<void>((resolve) => gates.push(resolve));
    return { sha256: `chunk-${chunk}`, rows_failed: 0 };
  };
  const open = () => {
    isOpen = true;
    gates.forEach((gate) => gate());
  };
  return { scoreChunk, started, open };
}

test('a batch goes through its stages and says what came of it', async () => {
  const assembleBatch = vi.fn(fakeActivities().activities.assembleBatch);
  const { activities, projected } = fakeActivities({ assembleBatch });
  const status = await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'batchPredict');
    await handle.result();
    return await handle.query(statusQuery);
  });
  expect(status).toMatchObject({
    kind: 'batch_predict',
    pipeline: null,
    state: 'COMPLETED',
    progress: 100,
    model: { name: 'churn', version: 1, uri: 'models:/churn/1' },
    dataset_version: 'ds_20260101T000000Z_0123456789ab',
    batch: {
      rows: 1000,
      rows_failed: 5,
      chunks: 10,
      chunks_scored: 10,
      output: { sha256: 'output', bytes: 10 },
      manifest_sha256: 'manifest',
    },
  });
  expect(status.stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'make_dataset COMPLETED',
    'planning COMPLETED',
    'scoring COMPLETED',
    'assembling COMPLETED',
  ]);
  const all = Array.from({ length: 10 }, (_, chunk) => `chunk-${chunk}`).join(' ');
  expect(assembleBatch).toHaveBeenCalledExactlyOnceWith({ plan: 'plan', scored: all });
  const progress = projected.map((projection) => projection.status.progress);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(new Set(progress).size).toBeGreaterThan(5);
});

test('a batch of ten million rows keeps every history within 400 events and scores each chunk once, in order', async () => {
  const chunks = 200;
  const scored: number[] = [];
  const assembleBatch = vi.fn(fakeActivities().activities.assembleBatch);
  const { activities, projected } = fakeActivities({
    assembleBatch,
    planBatch: () => Promise.resolve({ plan: 'plan', rows: 10_000_000, chunks }),
    scoreChunk: ({ chunk }) => {
      scored.push(chunk);
      return Promise.resolve({ sha256: `chunk-${chunk}`, rows_failed: 1 });
    },
  });
  const { status, lengths, memo } = await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'batchPredict');
    await handle.result();
    const lengths = await historyLengths(temporal.client, handle);
    const { memo } = await handle.describe();
    return { status: await handle.query(statusQuery), lengths, memo };
  });
  expect(lengths.length).toBeGreaterThan(2);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(400);
  expect([...scored].sort((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (_, chunk) => chunk));
  const inOrder = Array.from({ length: chunks }, (_, chunk) => `chunk-${chunk}`).join(' ');
  expect(assembleBatch).toHaveBeenCalledExactlyOnceWith({ plan: 'plan', scored: inOrder });
  expect(status).toMatchObject({
    state: 'COMPLETED',
    progress: 100,
    batch: { chunks_scored: chunks, rows_failed: 200 },
  });
  expect(status.stages.every(({ state }) => state === 'COMPLETED')).toBe(true);
  expect(memo).toEqual({ kept: 'across executions' });
  // Postgres was told in order across all executions, and last of all the final state.
  const sequences = projected.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  expect(new Set(sequences).size).toBe(sequences.length);
  expect(projected.at(-1)!.status.state).toBe('COMPLETED');
});

test('while paused, running chunks finish and no new one begins; resumed, the batch goes on to its end', async () => {
  const { scoreChunk, started, open } = heldChunks();
  const { activities, projected } = fakeActivities({ scoreChunk });
  await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'batchPredict');
    await vi.waitFor(() => expect(started).toHaveLength(2), SOON);
    await handle.signal(pauseSignal);
    expect(await handle.query(statusQuery)).toMatchObject({ state: 'PAUSED', waiting_for: 'somebody to resume it' });
    open();
    await vi.waitFor(async () => expect((await handle.query(statusQuery)).batch!.chunks_scored).toBe(2), SOON);
    expect(started).toHaveLength(2);
    await vi.waitFor(() => expect(projected.at(-1)!.status.state).toBe('PAUSED'), SOON);
    await handle.signal(resumeSignal);
    await handle.result();
    const status = await handle.query(statusQuery);
    expect(status).toMatchObject({ state: 'COMPLETED', waiting_for: null, batch: { chunks_scored: 10 } });
  });
  expect([...started].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a batch paused before it began waits, and is cancelled as it waits', async () => {
  const pinBatchData = vi.fn(fakeActivities().activities.pinBatchData);
  const { activities, projected } = fakeActivities({ pinBatchData });
  const handle = await startJob(temporal.client, 'batchPredict');
  await handle.signal(pauseSignal);
  const status = await withWorkers(temporal.native, activities, async () => {
    expect((await handle.query(statusQuery)).state).toBe('PAUSED');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    return await handle.query(statusQuery);
  });
  expect(pinBatchData).not.toHaveBeenCalled();
  expect(status).toMatchObject({ state: 'CANCELLED', waiting_for: null, error: null });
  expect(projected.at(-1)!.status.state).toBe('CANCELLED');
});

test('one failed chunk stops the others and fails the batch with its reason', async () => {
  const { activities } = fakeActivities({
    scoreChunk: ({ chunk }) => (chunk === 1 ? brokenContract() : endlessTraining()),
  });
  const status = await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'batchPredict');
    await expect(handle.result()).rejects.toThrow();
    return await handle.query(statusQuery);
  });
  expect(status).toMatchObject({ state: 'FAILED', error: { code: 'DATA_CONTRACT' }, batch: { output: null } });
});
