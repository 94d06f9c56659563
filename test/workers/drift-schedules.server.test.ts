import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { TemporalServer } from '../../lib/temporal-server.ts';
import { type DriftSchedulesDeps, startDriftSchedules } from '../../workers/drift-schedules.ts';
import { startTestTemporal } from '../platform.ts';

const SOON = { timeout: 60_000 };

let server: TemporalServer;
let client: Client;
beforeAll(async () => {
  server = await startTestTemporal();
  client = new Client({
    connection: await Connection.connect({ address: server.address, connectTimeout: '1 minute' }),
  });
});
afterAll(async () => {
  await client?.connection.close();
  await server?.stop();
});

/** Looks for endpoints until `done`, as one monitoring worker does. */
async function reconcile(changes: Partial<DriftSchedulesDeps>, done: () => void | Promise<void>): Promise<void> {
  const log = { info: () => undefined, warn: () => undefined };
  const servedEndpoints = () => Promise.resolve(['churn', 'loans']);
  const schedules = startDriftSchedules({
    client,
    log,
    servedEndpoints,
    everySeconds: 600,
    lookEveryMs: 50,
    ...changes,
  });
  await vi.waitFor(done, SOON).finally(schedules.stop);
}
const describe = (endpoint: string) => client.schedule.getHandle(`drift:${endpoint}`).describe();
const every = async (endpoint: string) => (await describe(endpoint)).spec.intervals!.map((interval) => interval.every);

test('every endpoint that is served is watched, at once and then in each period', async () => {
  await reconcile({}, async () => expect(await every('loans')).toEqual([600_000]));
  expect(await every('churn')).toEqual([600_000]);
  await vi.waitFor(async () => expect((await describe('churn')).info.numActionsTaken).toBe(1), SOON);
  const { action, policies } = await describe('churn');
  expect(action).toMatchObject({ workflowType: 'watchDrift', taskQueue: 'pipeline-v1', args: [{ endpoint: 'churn' }] });
  expect(policies.overlap).toBe('BUFFER_ONE');
  await expect(describe('nobody')).rejects.toThrow(ScheduleNotFoundError);
});

test('another period counts from the next start of a worker, which leaves a paused schedule paused', async () => {
  await client.schedule.getHandle('drift:churn').pause('for a test');
  await reconcile({ everySeconds: 60 }, async () => expect(await every('loans')).toEqual([60_000]));
  expect(await every('churn')).toEqual([60_000]);
  expect((await describe('churn')).state).toMatchObject({ paused: true, note: 'for a test' });
});

test('several workers at once, and one that cannot read the endpoints at first, make each schedule once', async () => {
  let isAway = true;
  const servedEndpoints = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(['fraud']));
  const warn = vi.fn(() => void (isAway = false));
  const log = { info: () => undefined, warn };
  const there = async () => expect(await every('fraud')).toEqual([600_000]);
  await Promise.all([1, 2, 3].map(() => reconcile({ servedEndpoints, log }, there)));
  expect(warn).toHaveBeenCalled();
  await vi.waitFor(async () => expect((await describe('fraud')).info.numActionsTaken).toBe(1), SOON);
});

test('a schedule that was deleted is made again after a while; one that is there is left as it is', async () => {
  const there = { servedEndpoints: () => Promise.resolve(['kept', 'deleted']), remakeEveryMs: 200 };
  const change = async () => {
    expect(await every('deleted')).toEqual([600_000]);
    await client.schedule
      .getHandle('drift:kept')
      .update((schedule) => ({ ...schedule, spec: { intervals: [{ every: 7000 }] } }));
    await client.schedule.getHandle('drift:deleted').delete();
  };
  let isChanged = false;
  await reconcile(there, async () => {
    if (!isChanged) await change();
    isChanged = true;
    expect(await every('deleted')).toEqual([600_000]);
  });
  expect(await every('kept')).toEqual([7000]);
});
