import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, test, vi } from 'vitest';
import { createDeploymentActivities, type DeploymentDeps } from '../../activities/deployment.ts';
import type { ServingNodeRevision } from '../../db/schema/endpoints.ts';
import { PlatformError } from '../../lib/errors.ts';

type State = ServingNodeRevision['state'];
const REVISION = { endpoint: 'churn', revision: 2 };
const report = (node: string, state: State, detail: string | null = null): ServingNodeRevision => ({
  node,
  endpointName: 'churn',
  revision: 2,
  state,
  detail,
  updatedAt: new Date(),
});

/** Each call of `live` or `states` takes the next answer; the last one stays. */
const answers = <T>(...all: T[]) => vi.fn(() => Promise.resolve(all.length > 1 ? all.shift()! : all[0]!));
function setUp(change: Partial<DeploymentDeps> = {}) {
  const deps = {
    prepareRevision: vi.fn<DeploymentDeps['prepareRevision']>(() => Promise.resolve({ revision: 2 })),
    activate: vi.fn<DeploymentDeps['activate']>(() => Promise.resolve()),
    failRevision: vi.fn<DeploymentDeps['failRevision']>(() => Promise.resolve()),
    revisionStatus: () => Promise.resolve({ state: 'prepared' as const, detail: null, supersededBy: null }),
    liveNodes: () => Promise.resolve(['a', 'b']),
    nodeStates: () => Promise.resolve([report('a', 'ready'), report('b', 'ready')]),
    productionVersion: () => Promise.resolve(1),
    traceparent: () => '00-1-2-01',
    timing: { pollMs: 1, aliveGraceMs: 30, timeoutMs: 10_000 },
    ...change,
  };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const run = <P extends unknown[], R>(activity: (...args: P) => Promise<R>, ...args: P): Promise<R> =>
    environment.run(activity, ...args);
  return { deps, environment, run, activities: createDeploymentActivities(deps) };
}

test('preparing asks for a revision in the name of the run and tells where production stands', async () => {
  const { deps, run, activities } = setUp();
  const input = { run_id: 'r1', endpoint: 'churn', model: { name: 'churn', version: 7 } };
  expect(await run(activities.prepareDeployment, input)).toEqual({ revision: 2, previous_alias_version: 1 });
  expect(deps.prepareRevision).toHaveBeenCalledWith({
    endpoint: 'churn',
    runId: 'r1',
    modelName: 'churn',
    modelVersion: 7,
    traceparent: '00-1-2-01',
  });
});

test('readiness waits for every live node, also for one that joins meanwhile, and heartbeats what it waits for', async () => {
  const { environment, run, activities } = setUp({
    liveNodes: answers(['a'], ['a', 'b'], ['a', 'b']),
    nodeStates: answers(
      [report('a', 'loading')],
      [report('a', 'ready')],
      [report('a', 'ready'), report('b', 'loading')],
      [report('a', 'serving'), report('b', 'ready')],
    ),
  });
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  expect(await run(activities.awaitNodesReady, REVISION)).toEqual({ nodes: ['a', 'b'] });
  expect(beats).toEqual([{ waiting: ['a'] }, { waiting: ['b'] }, { waiting: ['b'] }]);
});

test('the reason of a node that fails ends the wait and the revision, for good', async () => {
  const { deps, run, activities } = setUp({
    nodeStates: answers([report('a', 'ready')], [report('a', 'ready'), report('b', 'failed', 'golden row 3')]),
  });
  await expect(run(activities.awaitNodesReady, REVISION)).rejects.toMatchObject({
    type: 'DEPLOYMENT_FAILED',
    nonRetryable: true,
    message: 'b: golden row 3',
  });
  expect(deps.failRevision).toHaveBeenCalledExactlyOnceWith('churn', 2, 'b: golden row 3');
});

test('the report of a node that is gone does not count', async () => {
  const { run, activities } = setUp({
    liveNodes: answers(['a']),
    nodeStates: answers([report('a', 'ready'), report('gone', 'failed', 'killed')]),
  });
  expect(await run(activities.awaitNodesReady, REVISION)).toEqual({ nodes: ['a'] });
});

test('no node at all is not "all nodes": the wait ends after the grace time', async () => {
  const { run, activities } = setUp({
    liveNodes: answers<string[]>([]),
    nodeStates: answers<ServingNodeRevision[]>([]),
  });
  await expect(run(activities.awaitNodesReady, REVISION)).rejects.toThrow('no serving process is alive');
});

test('a node that appears within the grace time is waited for', async () => {
  const { run, activities } = setUp({
    liveNodes: answers<string[]>([], [], ['a']),
    nodeStates: answers([report('a', 'ready')]),
    timing: { pollMs: 1, aliveGraceMs: 10_000 },
  });
  expect(await run(activities.awaitNodesReady, REVISION)).toEqual({ nodes: ['a'] });
});

test('a node that never answers ends the wait with its name', async () => {
  const { run, activities } = setUp({
    nodeStates: answers([report('a', 'ready')]),
    timing: { pollMs: 1, timeoutMs: 20 },
  });
  await expect(run(activities.awaitNodesReady, REVISION)).rejects.toThrow('still not ready: b');
});

test('a revision that failed before, or that a newer one replaced, is not waited for', async () => {
  const status = { state: 'failed' as const, detail: 'an earlier attempt said so', supersededBy: null };
  const failed = setUp({ revisionStatus: () => Promise.resolve(status) });
  await expect(failed.run(failed.activities.awaitNodesReady, REVISION)).rejects.toThrow('an earlier attempt said so');
  const superseded = { state: 'prepared' as const, detail: null, supersededBy: 3 };
  const { run, activities } = setUp({ revisionStatus: () => Promise.resolve(superseded) });
  await expect(run(activities.awaitNodesReady, REVISION)).rejects.toThrow('superseded by revision 3');
  expect(await run(activities.awaitNodesServing, REVISION)).toEqual({ nodes: [] });
});

test('cancelling ends the wait as a cancellation', async () => {
  const { deps, environment, run, activities } = setUp({ nodeStates: answers<ServingNodeRevision[]>([]) });
  const waiting = run(activities.awaitNodesReady, REVISION);
  environment.cancel();
  await expect(waiting).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(deps.failRevision).not.toHaveBeenCalled();
  await run(activities.abandonDeployment, { ...REVISION, reason: 'the run was cancelled' });
  expect(deps.failRevision).toHaveBeenCalledExactlyOnceWith('churn', 2, 'the run was cancelled');
});

test('serving is reached only when every live node serves', async () => {
  const { run, activities } = setUp({
    nodeStates: answers(
      [report('a', 'serving'), report('b', 'ready')],
      [report('a', 'serving'), report('b', 'serving')],
    ),
  });
  expect(await run(activities.awaitNodesServing, REVISION)).toEqual({ nodes: ['a', 'b'] });
});

test('activation moves production from where it stood, and a conflict ends the revision without a retry', async () => {
  const input = { run_id: 'r1', model: { name: 'churn', version: 7 }, previous_alias_version: 1, ...REVISION };
  const good = setUp();
  await good.run(good.activities.activateDeployment, { ...input, requested_by: 'ada' });
  const alias = { modelName: 'churn', alias: 'production', from: 1, to: 7, runId: 'r1' };
  expect(good.deps.activate).toHaveBeenLastCalledWith({ ...REVISION, alias, requestedBy: 'ada' });
  await good.run(good.activities.activateDeployment, input);
  expect(good.deps.activate).toHaveBeenLastCalledWith({ ...REVISION, alias, requestedBy: 'anneal' });
  const conflict = new PlatformError('CONFLICT', 'churn@production points to 5, not to 1');
  const { deps, run, activities } = setUp({ activate: () => Promise.reject(conflict) });
  await expect(run(activities.activateDeployment, input)).rejects.toMatchObject({
    type: 'CONFLICT',
    nonRetryable: true,
  });
  expect(deps.failRevision).toHaveBeenCalledWith('churn', 2, conflict.message);
  const away = setUp({ activate: () => Promise.reject(new Error('connection refused')) });
  await expect(away.run(away.activities.activateDeployment, input)).rejects.toThrow('connection refused');
  expect(away.deps.failRevision).not.toHaveBeenCalled();
});
