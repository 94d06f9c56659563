import { join } from 'node:path';
import type { ReferenceLabelsInput } from '../../activities/labels.ts';
import { addedColumns } from '../../data/added-columns.ts';
import { countLabels } from '../../data/label-counts.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { duckdbLimits, inDirectory, store } from './store.ts';

export const countReferenceLabels = threadTask(({ reference, inputs }: ReferenceLabelsInput) =>
  inDirectory('reference-labels', async (directory) => {
    const sample = join(directory, 'sample.parquet');
    if ('sha256' in reference) await store.getFile(reference.sha256, sample);
    const path = 'path' in reference ? reference.path : sample;
    return await countLabels(path, addedColumns(inputs).label, duckdbLimits(directory));
  }),
);
