import { runJob } from '../../../workflows/job.ts';
import { type JobInput, type JobStatus } from '../../../workflows/messages.ts';
import { makeDatasetStage } from '../../../workflows/stages.ts';
import { proxyActivities } from '@temporalio/workflow';
import type { PlanningActivities } from '../../../activities/planning.ts';

const { planRun } = proxyActivities<PlanningActivities>({ startToCloseTimeout: '1 minute' });

/** Today's trainModel with its first two commands swapped: replaying a recorded run through it must fail. */
export const trainModel = (input: JobInput): Promise<JobStatus> =>
  runJob('train_model', input, async (job) => {
    await makeDatasetStage(job, input);
    await planRun(input.definition);
  });
