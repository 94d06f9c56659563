import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { DeploymentActivities } from '../activities/deployment.ts';
import type { RegisteredModel } from '../activities/registry.ts';
import type { Job } from './job.ts';

const { prepareDeployment, awaitNodesReady, activateDeployment, awaitNodesServing, abandonDeployment } =
  proxyActivities<DeploymentActivities>({
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '10 seconds',
    // Bounded: after ten tries over some minutes an infrastructure fault needs a person.
    retry: { maximumAttempts: 10, maximumInterval: '30 seconds' },
  });

/** Brings a model version behind an endpoint, in the two phases of the handshake with the serving processes. */
export const deployStage = (job: Job, endpoint: string, model: RegisteredModel): Promise<void> =>
  job.stage('deployment', () => deploy(job, endpoint, model));

async function deploy({ status }: Job, endpoint: string, model: RegisteredModel): Promise<void> {
  const prepared = await prepareDeployment({ endpoint, model, run_id: status.job_id });
  const { revision } = prepared;
  status.waiting_for = `every serving process to load ${model.uri}`;
  try {
    await awaitNodesReady({ endpoint, revision });
    const { job_id: run_id, requested_by } = status;
    await activateDeployment({ endpoint, model, run_id, requested_by, ...prepared });
  } catch (error) {
    // Also when cancelled: no serving process may keep waiting for a revision that will never be activated.
    const reason = `run ${status.job_id} ended before activation`;
    await CancellationScope.nonCancellable(() => abandonDeployment({ endpoint, revision, reason }));
    throw error;
  }
  status.endpoint = { name: endpoint, revision };
  status.promoted = true;
  status.waiting_for = `every serving process to serve ${model.uri}`;
  await awaitNodesServing({ endpoint, revision });
  status.waiting_for = null;
}
