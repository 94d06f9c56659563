import { runJob } from './job.ts';
import type { JobInput, JobStatus } from './messages.ts';
import { makeDatasetStage, preprocessingStage } from './stages.ts';

/** Goes as far as the split, encoded matrices, without training on them. */
export const buildFeatures = (input: JobInput): Promise<JobStatus> =>
  runJob('build_features', input, async (job) => {
    await preprocessingStage(job, input, await makeDatasetStage(job, input));
  });
