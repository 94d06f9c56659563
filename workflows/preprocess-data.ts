import { runJob } from './job.ts';
import type { JobInput, JobStatus } from './messages.ts';
import { makeDatasetStage } from './stages.ts';

/** Reads a source through the pipeline's contract and leaves a dataset version with its typed table. */
export const preprocessData = (input: JobInput): Promise<JobStatus> =>
  runJob('preprocess_data', input, async (job) => {
    await makeDatasetStage(job, input);
  });
