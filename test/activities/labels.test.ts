import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test, vi } from 'vitest';
import { createLabelActivities, type LabelDeps } from '../../activities/labels.ts';
import type { Realised, WindowLabels } from '../../db/realised-metrics.ts';
import { DriftPolicy } from '../../pipelines/drift-policy.ts';
import { exampleVersion } from '../db/examples.ts';

const at = new Date(0);
const found: WindowLabels = { labels: ['yes', 'no', 'no'], probabilities: Float32Array.from([0.75, 0.25, 0.5]) };

/** Restates two windows of one version; answers what was computed and which references were read. */
async function restate(changes: Partial<LabelDeps> = {}, profile: string | null = 'c'.repeat(64)) {
  const computed: Realised[] = [];
  const countReferenceLabels = vi.fn(() => Promise.resolve({ no: 80, yes: 20 }));
  const version = { ...exampleVersion('churn', 'run-1'), version: 1, importedBy: null, createdAt: at };
  const activities = createLabelActivities({
    metrics: {
      getWindow: (endpoint, sequence) =>
        Promise.resolve({
          window: {
            ...{ endpoint, sequence, model: 'churn', version: 1, afterPosition: 0, untilPosition: 9, rows: 9 },
            ...{ firstAt: at, lastAt: at, closedAt: at, finishedAt: at },
          },
          version: { ...version, referenceProfileSha256: profile },
        }),
      restate: (_, compute) => Promise.resolve(void computed.push(compute(found))) as never,
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
