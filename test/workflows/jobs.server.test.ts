import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { MAX_CANDIDATES } from '../../pipelines/definition.ts';
import { candidateProgressSignal, statusQuery } from '../../workflows/messages.ts';
import { brokenContract, endlessTraining, failedGate, fakeActivities, lostTraining } from './fake-activities.ts';
import { startJob, startTemporal, withWorkers } from './temporal.ts';

const SOON = { timeout: 60_000 };

let temporal: Awaited<ReturnType<typeof startTemporal>>;
beforeAll(async () => void (temporal = await startTemporal()));
afterAll(() => temporal.stop());

const finalStatus = async (workflow: string, activities: ReturnType<typeof fakeActivities>['activities']) =>
  await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, workflow);
    const outcome = await handle.result().then(
      () => null,
      (error: Error) => error,
    );
    const { historyLength } = await handle.describe();
    return { status: await handle.query(statusQuery), outcome, historyLength };
  });

test('a training run goes through its six stages and answers what became of it', async () => {
  const { activities, projected } = fakeActivities();
  const { status, historyLength } = await finalStatus('trainModel', activities);
  expect(status).toMatchObject({
    state: 'COMPLETED',
    progress: 100,
    best_candidate: 'logistic_regression-1',
    model: { uri: 'models:/churn/1' },
    endpoint: { name: 'churn', revision: 1 },
    promoted: true,
    waiting_for: null,
    error: null,
  });
  expect(status.stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'make_dataset COMPLETED',
    'preprocessing COMPLETED',
    'training COMPLETED',
    'evaluation COMPLETED',
    'registry COMPLETED',
    'deployment COMPLETED',
  ]);
  expect(status.candidates.map(({ state, metrics }) => [state, metrics])).toEqual([
    ['COMPLETED', { roc_auc: 0.79 }],
    ['COMPLETED', { roc_auc: 0.79 }],
  ]);
  expect(historyLength).toBeLessThanOrEqual(400);
  // Postgres was told in order, and last of all the final state.
  expect(projected.map(({ sequence }) => sequence)).toEqual(projected.map((_, index) => index + 1));
  expect(projected.at(-1)!.status).toMatchObject({ state: 'COMPLETED', progress: 100 });
});

test('a broken data contract fails the run at once, with the column and the rule', async () => {
  const makeDataset = vi.fn(brokenContract);
  const { activities, projected } = fakeActivities({ makeDataset });
  const { status, outcome } = await finalStatus('trainModel', activities);
  expect(makeDataset).toHaveBeenCalledTimes(1);
  expect(outcome).not.toBeNull();
  expect(status).toMatchObject({
    state: 'FAILED',
    error: { code: 'DATA_CONTRACT', details: [{ path: 'account_age', rule: 'missing_column' }] },
  });
  expect(status.stages.map(({ state }) => state)).toEqual(['FAILED', ...Array<string>(5).fill('SKIPPED')]);
  expect(projected.at(-1)!.status.state).toBe('FAILED');
});

test('an infrastructure fault is retried until it passes', async () => {
  const dataset = fakeActivities().activities.makeDataset;
  const makeDataset = vi.fn(dataset).mockRejectedValueOnce(new Error('connection refused'));
  const { status } = await finalStatus('preprocessData', fakeActivities({ makeDataset }).activities);
  expect(makeDataset).toHaveBeenCalledTimes(2);
  expect(status.state).toBe('COMPLETED');
});

test('a version that misses a gate is registered, not deployed, and the run says which gate', async () => {
  const prepareDeployment = vi.fn();
  const { activities } = fakeActivities({ evaluateCandidates: failedGate, prepareDeployment });
  const { status } = await finalStatus('trainModel', activities);
  expect(prepareDeployment).not.toHaveBeenCalled();
  expect(status).toMatchObject({
    state: 'FAILED',
    promoted: false,
    model: { version: 1 },
    error: { code: 'QUALITY_GATE' },
  });
  expect(status.error!.message).toContain('roc_auc is 0.4, must be at least 0.5');
});

test('manual promotion ends after the registry', async () => {
  const prepareDeployment = vi.fn();
  const { activities } = fakeActivities({ prepareDeployment });
  const planRun = async () => ({ ...(await activities.planRun('')), promotion: 'manual' as const });
  const { status } = await finalStatus('trainModel', { ...activities, planRun });
  expect(prepareDeployment).not.toHaveBeenCalled();
  expect(status).toMatchObject({ state: 'COMPLETED', promoted: false });
  expect(status.stages.at(-1)!.state).toBe('SKIPPED');
});

test('a deployment by hand is one stage, and knows its version from the start', async () => {
  const { activities, projected } = fakeActivities();
  const activateDeployment = vi.fn(activities.activateDeployment);
  const { status, historyLength } = await finalStatus('deployModel', { ...activities, activateDeployment });
  expect(status).toMatchObject({
    kind: 'deploy_model',
    pipeline: null,
    state: 'COMPLETED',
    stages: [{ name: 'deployment', state: 'COMPLETED' }],
    model: { name: 'churn', version: 1, uri: 'models:/churn/1' },
    endpoint: { name: 'churn', revision: 1 },
    promoted: true,
  });
  expect(activateDeployment).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ endpoint: 'churn', run_id: status.job_id, requested_by: 'test', revision: 1 }),
  );
  expect(projected.at(-1)!.status).toMatchObject({ state: 'COMPLETED', model: { version: 1 } });
  expect(historyLength).toBeLessThanOrEqual(50);
});

test('a deployment by hand that serving processes refuse leaves nothing behind', async () => {
  const abandonDeployment = vi.fn(() => Promise.resolve());
  const { activities } = fakeActivities({ awaitNodesReady: brokenContract, abandonDeployment });
  const { status } = await finalStatus('deployModel', activities);
  expect(status).toMatchObject({ state: 'FAILED', promoted: false, endpoint: null });
  expect(abandonDeployment).toHaveBeenCalledTimes(1);
});

test('cancelling stops the running candidates and says so', async () => {
  const { activities, projected } = fakeActivities({ trainCandidate: endlessTraining });
  const status = await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'trainModel');
    await vi.waitFor(async () => expect((await handle.query(statusQuery)).stage).toBe('training'), SOON);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    return await handle.query(statusQuery);
  });
  expect(status).toMatchObject({ state: 'CANCELLED', error: null });
  expect(projected.at(-1)!.status.state).toBe('CANCELLED');
});

test('a run that is cancelled while its training worker is away is cancelled, not failed', async () => {
  const { trainCandidate, away, back } = lostTraining();
  const { activities, projected } = fakeActivities({ trainCandidate });
  const status = await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'trainModel');
    await away;
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    back();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    return await handle.query(statusQuery);
  });
  expect(status).toMatchObject({ state: 'CANCELLED', error: null });
  expect(status.candidates.map(({ state }) => state)).not.toContain('RUNNING');
  expect(projected.at(-1)!.status.state).toBe('CANCELLED');
});

test('one failed candidate stops the others and fails the run with its reason', async () => {
  const { activities } = fakeActivities({
    trainCandidate: (input) =>
      input.candidate.algorithm === 'logistic_regression' ? brokenContract() : endlessTraining(),
  });
  const { status } = await finalStatus('trainModel', activities);
  expect(status).toMatchObject({ state: 'FAILED', error: { code: 'DATA_CONTRACT' } });
});

test('progress of a candidate shows in the query while it trains', async () => {
  const { activities } = fakeActivities({ trainCandidate: endlessTraining });
  await withWorkers(temporal.native, activities, async () => {
    const handle = await startJob(temporal.client, 'trainModel');
    await vi.waitFor(async () => expect((await handle.query(statusQuery)).stage).toBe('training'), SOON);
    await handle.signal('candidateProgress', { candidate_id: 'gradient_boosting-1', attempt: 2, progress: 40 });
    const { candidates } = await handle.query(statusQuery);
    expect(candidates[1]).toMatchObject({ state: 'RUNNING', attempt: 2, progress: 40 });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
  });
});

test('a run with as many candidates as a definition may ask for stays within 400 events', async () => {
  const { activities } = fakeActivities();
  const plan = await activities.planRun('');
  const candidates = Array.from({ length: MAX_CANDIDATES }, (_, index) => ({
    ...plan.candidates[0]!,
    id: `logistic_regression-${index + 1}`,
  }));
  const trainCandidate: typeof activities.trainCandidate = async (input) => {
    const { attempt, workflowExecution } = Context.current().info;
    const handle = temporal.client.workflow.getHandle(workflowExecution!.workflowId);
    for (let sent = 0; sent < input.signals; sent++) {
      const progress = Math.floor((100 * sent) / input.signals);
      await handle.signal(candidateProgressSignal, { candidate_id: input.candidate.id, attempt, progress });
    }
    return await activities.trainCandidate(input);
  };
  const { status, historyLength } = await finalStatus('trainModel', {
    ...activities,
    planRun: () => Promise.resolve({ ...plan, candidates }),
    trainCandidate,
  });
  expect(status).toMatchObject({ state: 'COMPLETED', promoted: true });
  expect(historyLength).toBeLessThanOrEqual(400);
});
