import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test, vi } from 'vitest';
import { createLabelActivities, type LabelDeps } from '../../activities/labels.ts';
import type { LabelledWindow, Realised, WindowLabels } from '../../db/realised-metrics.ts';
import { DriftPolicy } from '../../pipelines/drift-policy.ts';
import { exampleVersion } from '../db/examples.ts';

const at = new Date(0);
const found: WindowLabels = { labels: ['yes', 'no', 'no'], probabilities: Float32Array.from([0.75, 0.25, 0.5]) };

const exampleWindow = (sequence: number, profile: string | null = 'c'.repeat(64)): LabelledWindow => ({
  window: {
    ...{ endpoint: 'churn', sequence, model: 'churn', version: 1, afterPosition: 0, untilPosition: 9, rows: 9 },
    ...{ firstAt: at, lastAt: at, closedAt: at, finishedAt: at, labelsDropped: false },
  },
  version: {
    ...{ ...exampleVersion('churn', 'run-1'), version: 1, importedBy: null, createdAt: at },
    referenceProfileSha256: profile,
  },
});

/** Restates two windows of one version; answers what was computed and which references were read. */
async function restate(changes: Partial<LabelDeps> = {}, profile?: string | null) {
  const computed: Realised[] = [];
  const countReferenceLabels = vi.fn(() => Promise.resolve({ no: 80, yes: 20 }));
  const activities = createLabelActivities({
    metrics: {
      getWindow: (_, sequence) => Promise.resolve(exampleWindow(sequence, profile)),
      restate: (_, compute) => Promise.resolve(void computed.push(compute(found))),
    },
    driftSettings: () => Promise.resolve(DriftPolicy.parse({ min_rows: 3 })),
    readProfile: () => Promise.resolve({ sample: { sha256: 'f'.repeat(64), rows: 100 } }),
    referenceFile: undefined,
    countReferenceLabels,
    ...changes,
  });
  await new MockActivityEnvironment().run(activities.restateMetrics, { endpoint: 'churn', sequences: [1, 2] });
  return { computed, countReferenceLabels };
}

test('each window is computed from its labels, and compared with the sample of its version, read once', async () => {
  const { computed, countReferenceLabels } = await restate();
  expect(computed).toHaveLength(2);
  expect(computed[0]!.metrics).toMatchObject({ labelled: 3, positive_rate: 1 / 3, roc_auc: 1, accuracy: 2 / 3 });
  expect(computed[0]!.targetDrift).toMatchObject({ column: 'target', distribution: { current: [2, 1] } });
  expect(countReferenceLabels).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ reference: { sha256: 'f'.repeat(64) } }),
    expect.anything(),
  );
});

test('a window that cannot be restated holds up none of those after it, and is heard of at the end', async () => {
  const computed: number[] = [];
  const restated = restate({
    metrics: {
      getWindow: (_, sequence) =>
        sequence === 1 ? Promise.reject(new Error('window 1 is broken')) : Promise.resolve(exampleWindow(sequence)),
      restate: (window) => Promise.resolve(void computed.push(window.sequence)),
    },
  });
  await expect(restated).rejects.toThrow('window 1 is broken');
  expect(computed).toEqual([2]);
});

test('a reference file stands for the sample; without either there are metrics alone', async () => {
  const { countReferenceLabels } = await restate({ referenceFile: '/data/reference.parquet' });
  expect(countReferenceLabels).toHaveBeenCalledWith(
    expect.objectContaining({ reference: { path: '/data/reference.parquet' } }),
    expect.anything(),
  );
  const imported = await restate({}, null);
  expect(imported.countReferenceLabels).not.toHaveBeenCalled();
  expect(imported.computed[0]).toMatchObject({ metrics: { labelled: 3 }, targetDrift: null });
});
