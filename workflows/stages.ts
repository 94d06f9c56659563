import { proxyActivities } from '@temporalio/workflow';
import type { MadeDataset, PreparedData } from '../activities/artifacts.ts';
import type { DatasetActivities } from '../activities/dataset.ts';
import type { PreprocessingActivities } from '../activities/preprocessing.ts';
import type { Job } from './job.ts';
import type { JobInput } from './messages.ts';

const { makeDataset, preprocess } = proxyActivities<DatasetActivities & PreprocessingActivities>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '10 seconds',
  // A source or a store that is away for longer than ten tries needs a person. User mistakes are not retried at all.
  retry: { maximumAttempts: 10, maximumInterval: '30 seconds' },
});

export const makeDatasetStage = (job: Job, input: JobInput): Promise<MadeDataset> =>
  job.stage('make_dataset', async () => {
    const { pipeline, definition, source, requested_by } = input;
    const made = await makeDataset({ pipeline: pipeline.name, definition, source, requested_by });
    job.status.dataset_version = made.dataset_version;
    return made;
  });

export const preprocessingStage = (job: Job, input: JobInput, dataset: MadeDataset): Promise<PreparedData> =>
  job.stage('preprocessing', async () => {
    const prepared = await preprocess({ definition: input.definition, dataset });
    job.status.rows = { ...prepared.rows };
    return prepared;
  });
