import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createDriftActivities, type DriftDeps, endOfPeriod } from '../../activities/drift.ts';
import type { ComputedWindow, ComputeWindowInput } from '../../activities/drift-window.ts';
import type { DriftWindow } from '../../db/schema/drift.ts';
import type { ModelVersion } from '../../db/schema/models.ts';
import { DriftPolicy } from '../../pipelines/drift-policy.ts';
import { exampleVersion } from '../db/examples.ts';

let workDirectory: string;
beforeAll(async () => void (workDirectory = await mkdtemp(join(tmpdir(), 'anneal-drift-'))));
afterAll(() => rm(workDirectory, { recursive: true }));

const window: DriftWindow = {
  ...{ endpoint: 'churn', sequence: 3, model: 'churn', version: 1, afterPosition: 10, untilPosition: 15, rows: 4 },
  firstAt: new Date('2026-11-21T08:00:00.001Z'),
  lastAt: new Date('2026-11-21T09:00:00Z'),
  closedAt: new Date('2026-11-21T10:00:00Z'),
  finishedAt: null,
  labelsDropped: false,
};
const computed: ComputedWindow = {
  ...{ judged: true, drifted: false, drifted_share: 0.25, prediction_drifted: true, columns: [], estimate: null },
  ...{ report_sha256: 'r', page_sha256: 'p', archive_sha256: 'a', sketches_sha256: 's' },
};
async function* batches(...lines: string[][]) {
  for (const batch of lines) yield await Promise.resolve(batch);
}

/** The activities beside what they do: `computedFrom` is what windows are computed from, with the text of their rows. */
function drift(replace: {
  windows?: Partial<DriftDeps['windows']>;
  deps?: Partial<DriftDeps>;
  version?: Partial<ModelVersion>;
}) {
  const computedFrom: (ComputeWindowInput & { readonly text: string })[] = [];
  const record = vi.fn(() => Promise.resolve());
  const finish = vi.fn(() => Promise.resolve());
  const close = vi.fn(() => Promise.resolve('later' as const));
  const deps: DriftDeps = {
    settings: { reportFrequency: 3600, bufferSize: 1000, referenceFile: undefined },
    windows: {
      close,
      unfinished: () => Promise.resolve(null),
      get: () => Promise.resolve(window),
      finish,
      lines: () => batches(['{"id":1}', '{"id":2}'], ['{"id":3}']),
      ...replace.windows,
    },
    reports: { record, find: () => Promise.resolve(null), before: () => Promise.resolve([]) },
    relabelledWindows: () => Promise.resolve([]),
    getModel: () =>
      Promise.resolve({ ...exampleVersion('churn', 'run'), version: 1, ...replace.version } as ModelVersion),
    driftSettings: () => Promise.resolve(DriftPolicy.parse({})),
    readProfile: () =>
      Promise.resolve({
        sample: { sha256: 'sample', rows: 100 },
        estimate: { calibrated: true, expected_calibration_error: 0.01 },
      }),
    compute: async (input) => {
      computedFrom.push({ ...input, text: await readFile(input.rows_file, 'utf8') });
      return computed;
    },
    workDirectory,
    ...replace.deps,
  };
  const activities = createDriftActivities(deps);
  const run = <In, Out>(activity: (input: In) => Promise<Out>, input: In) =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, input);
  return {
    awaitWork: () => run(activities.awaitDriftWork, { endpoint: 'churn', since: '2026-11-21T10:20:00Z', after: 2 }),
    compute: () => run(activities.computeDrift, { endpoint: 'churn', sequence: 3 }),
    ...{ computedFrom, record, finish, close },
  };
}

test('a period ends at the next multiple of its length since 1970, as those of a schedule do', () => {
  expect(endOfPeriod(new Date('2026-11-21T10:20:00Z'), 3600)).toEqual(new Date('2026-11-21T11:00:00Z'));
  expect(endOfPeriod(new Date('2026-11-21T11:00:00Z'), 3600)).toEqual(new Date('2026-11-21T12:00:00Z'));
});

test('a window that is closed comes before one that is to be closed', async () => {
  const { awaitWork, close } = drift({ windows: { unfinished: (_, after) => Promise.resolve(after + 1) } });
  expect(await awaitWork()).toEqual({ kind: 'window', sequence: 3 });
  expect(close).not.toHaveBeenCalled();
});

test('a window is closed by the settings, and labels wait for windows', async () => {
  const close = vi.fn(() => Promise.resolve(7));
  const { awaitWork } = drift({ windows: { close }, deps: { relabelledWindows: () => Promise.resolve([1]) } });
  expect(await awaitWork()).toEqual({ kind: 'window', sequence: 7 });
  const periodEnd = new Date('2026-11-21T11:00:00Z');
  expect(close).toHaveBeenCalledExactlyOnceWith({ endpoint: 'churn', least: 1000, most: 10_000, periodEnd });
});

test('labels are dealt with before a period is over', async () => {
  const windows = { close: () => Promise.resolve('over' as const) };
  const labelled = drift({ windows, deps: { relabelledWindows: () => Promise.resolve([1, 2]) } });
  expect(await labelled.awaitWork()).toEqual({ kind: 'labels', sequences: [1, 2] });
  expect(await drift({ windows }).awaitWork()).toEqual({ kind: 'over' });
});

test('with nothing to do Temporal is asked to come back in a second, as nothing is wrong', async () => {
  await expect(drift({}).awaitWork()).rejects.toMatchObject({
    type: 'NOTHING_YET',
    category: 'BENIGN',
    nextRetryDelay: '1 second',
    nonRetryable: false,
  });
});

test('a window is computed from its rows, its version and the sample of that, and leaves nothing on the disk', async () => {
  const { compute, computedFrom, record, finish } = drift({});
  expect(await compute()).toEqual({ reported: true });
  expect(computedFrom).toMatchObject([
    {
      ...{ endpoint: 'churn', sequence: 3, model: { name: 'churn', version: 1 }, calibrated: true, history: [] },
      reference: { sha256: 'sample' },
      // How many there are, for retention may have taken some.
      window: {
        rows: 3,
        first_at: '2026-11-21T08:00:00.001Z',
        last_at: '2026-11-21T09:00:00.000Z',
        closed_at: '2026-11-21T10:00:00.000Z',
      },
      text: '{"id":1}\n{"id":2}\n{"id":3}\n',
    },
  ]);
  expect(record).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ endpoint: 'churn', sequence: 3, driftedShare: 0.25, archiveSha256: 'a' }),
  );
  expect(finish).not.toHaveBeenCalled();
  expect(await readdir(workDirectory)).toEqual([]);
});

test('a reference file stands for the sample of every version, and of those that have none', async () => {
  const settings = { reportFrequency: 1, bufferSize: 1, referenceFile: '/data/reference.parquet' };
  const outside = { referenceProfileSha256: null, pipelineName: null };
  for (const version of [{}, outside]) {
    const { compute, computedFrom } = drift({ version, deps: { settings } });
    expect(await compute()).toEqual({ reported: true });
    expect(computedFrom).toMatchObject([{ reference: { path: '/data/reference.parquet' } }]);
  }
});

test('without a reference, or without rows that are still kept, a window is finished without a report', async () => {
  for (const replace of [
    { version: { referenceProfileSha256: null } },
    { deps: { readProfile: () => Promise.resolve({}) } },
    { windows: { lines: () => batches() } },
  ]) {
    const { compute, computedFrom, record, finish } = drift(replace);
    expect(await compute()).toEqual({ reported: false });
    expect(finish).toHaveBeenCalledExactlyOnceWith('churn', 3);
    expect([computedFrom.length, record.mock.calls.length]).toEqual([0, 0]);
  }
});

test('a window that is finished is not computed again', async () => {
  const { compute, computedFrom } = drift({ windows: { get: () => Promise.resolve({ ...window, finishedAt: new Date() }) } }); // prettier-ignore
  expect(await compute()).toEqual({ reported: false });
  expect(computedFrom).toEqual([]);
});

test('a window that cannot be computed is not finished, and leaves nothing on the disk', async () => {
  const { compute, record, finish } = drift({ deps: { compute: () => Promise.reject(new Error('broken')) } });
  await expect(compute()).rejects.toThrow('broken');
  expect([record.mock.calls.length, finish.mock.calls.length]).toEqual([0, 0]);
  expect(await readdir(workDirectory)).toEqual([]);
});
