import { deployStage } from './deploy-stage.ts';
import { runJob } from './job.ts';
import type { DeployInput, JobStatus } from './messages.ts';

/** Deploys a version that is registered already. */
export const deployModel = ({ model: { name, version }, endpoint, requested_by }: DeployInput): Promise<JobStatus> =>
  runJob('deploy_model', { pipeline: null, requested_by }, async (job) => {
    const model = { name, version, uri: `models:/${name}/${version}` };
    job.status.model = { ...model };
    await deployStage(job, endpoint, model);
  });
