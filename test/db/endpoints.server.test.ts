import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAuditLog } from '../../db/audit-log.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { ENDPOINTS_CHANNEL } from '../../db/endpoint-revisions.ts';
import { createEndpointRepository, type EndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository, type ModelRepository } from '../../db/models.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres } from '../platform.ts';
import { exampleVersion } from './examples.ts';

const SOON = { timeout: 60_000 };

let database: EmbeddedPostgres;
let connection: Connection;
let endpoints: EndpointRepository;
let models: ModelRepository;
let tests = 0;
let name: string; // of the model and of the endpoint
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  endpoints = createEndpointRepository(connection.db);
  models = createModelRepository(connection.db);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  name = `model-${++tests}`;
  for (const version of [1, 2, 3]) await models.registerVersion(exampleVersion(name, `${name}-run-${version}`));
});

/** Version and run have the same number. */
const prepare = async (version: number, runId = `${name}-run-${version}`) =>
  await endpoints.prepareRevision({ endpoint: name, runId, modelName: name, modelVersion: version, traceparent: null });
const activate = async (revision: number, from: number | null, to: number) =>
  await endpoints.activate({
    endpoint: name,
    revision,
    alias: { modelName: name, alias: 'production', from, to, runId: `${name}-run-${to}` },
    requestedBy: 'ada',
  });
const production = () => models.versionOf(name, 'production').catch(() => null);

test('each run gets one revision, however often and however many prepare at once', async () => {
  const made = await Promise.all([prepare(1), prepare(2), prepare(3), prepare(1), prepare(2)]);
  expect(made.filter(({ created }) => created)).toHaveLength(3);
  expect(new Set(made.map(({ revision }) => revision))).toEqual(new Set([1, 2, 3]));
  expect(await prepare(1)).toEqual({ revision: made[0].revision, created: false });
  await expect(prepare(2, `${name}-run-1`)).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('activation moves revision and alias together, and a repeat changes nothing', async () => {
  await prepare(1);
  expect(await endpoints.current(name)).toBeNull();
  expect(await activate(1, null, 1)).toEqual({ activated: true });
  expect(await activate(1, null, 1)).toEqual({ activated: false });
  expect(await endpoints.current(name)).toMatchObject({ revision: 1, state: 'active', modelVersion: 1 });
  expect(await production()).toBe(1);
});

test('the audit log has each promotion once, and none that did not happen', async () => {
  const promotions = async () =>
    (await createAuditLog(connection.db).list({ limit: 10, object: `models/${name}/` })).items;
  await prepare(1);
  await Promise.all([activate(1, null, 1), activate(1, null, 1)]);
  await prepare(2);
  await expect(activate(2, null, 2)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await promotions()).toMatchObject([
    {
      ...{ actor: 'ada', action: 'promote', object: `models/${name}/versions/1`, status: null, address: null },
      ...{ requestId: `${name}-run-1`, detail: { endpoint: name, revision: 1, alias: 'production' } },
    },
  ]);
  await activate(2, 1, 2);
  expect(await promotions()).toHaveLength(2);
});

test('activation from another alias position changes neither alias nor revision', async () => {
  await prepare(1);
  await activate(1, null, 1);
  await prepare(2);
  await expect(activate(2, null, 2)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(activate(2, 3, 2)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(activate(2, 1, 3)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect([await production(), (await endpoints.current(name))!.revision]).toEqual([1, 1]);
  expect((await endpoints.revisionStatus(name, 2)).state).toBe('prepared');
});

test('of two activations at once from the same alias position one wins', async () => {
  await Promise.all([prepare(1), prepare(2)]);
  const revisions = await endpoints.revisions(name);
  const results = await Promise.allSettled(
    revisions.map(({ revision, modelVersion }) => activate(revision, null, modelVersion)),
  );
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await production()).toBe((await endpoints.current(name))!.modelVersion);
});

test('a roll-back that a run overtakes does not happen, nor does a run that a roll-back overtakes', async () => {
  await prepare(1);
  await activate(1, null, 1);
  await prepare(2);
  await activate(2, 1, 2);
  const rollBack = (revision: number, runId: string) =>
    endpoints.activate({
      endpoint: name,
      revision,
      alias: { modelName: name, alias: 'production', from: 2, to: 1, runId },
      requestedBy: 'dan',
    });
  // Both saw production at version 2.
  const { revision: back } = await prepare(1, 'deploy-1');
  const { revision: run } = await prepare(3);
  expect(await endpoints.revisionStatus(name, back)).toMatchObject({ supersededBy: run });
  const outcomes = await Promise.allSettled([rollBack(back, 'deploy-1'), activate(run, 2, 3)]);
  const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(outcomes[1 - won]).toMatchObject({ reason: { code: 'CONFLICT' } });
  expect(await production()).toBe(won === 0 ? 1 : 3);
  expect(await endpoints.current(name)).toMatchObject({ revision: won === 0 ? back : run });
});

test('an endpoint only goes forward, and a failed revision stays failed', async () => {
  await prepare(1);
  await prepare(2);
  await activate(2, null, 2);
  await expect(activate(1, 2, 1)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('newer') as string,
  });
  await endpoints.failRevision(name, 2, 'too late');
  expect((await endpoints.revisionStatus(name, 2)).state).toBe('active');
  await prepare(3);
  await endpoints.failRevision(name, 3, 'node a: no memory');
  await endpoints.failRevision(name, 3, 'something else');
  expect(await endpoints.revisionStatus(name, 3)).toMatchObject({ state: 'failed', detail: 'node a: no memory' });
  await expect(activate(3, 2, 3)).rejects.toThrow('node a: no memory');
  expect(await endpoints.revisionStatus(name, 1)).toMatchObject({ supersededBy: 2 });
  expect(await endpoints.revisionStatus(name, 2)).toMatchObject({ supersededBy: null });
});

test('a serving process sees the current revision and the newest prepared one, with the model', async () => {
  const watched = async () => (await endpoints.watchState()).find((endpoint) => endpoint.name === name);
  expect(await watched()).toBeUndefined();
  await prepare(1);
  expect(await watched()).toMatchObject({ current: null, next: { revision: 1, model: { version: 1 } } });
  await activate(1, null, 1);
  await prepare(2);
  await prepare(3);
  expect(await watched()).toMatchObject({ current: { revision: 1 }, next: { revision: 3, model: { version: 3 } } });
  await endpoints.failRevision(name, 3, 'no');
  expect(await watched()).toMatchObject({ next: { revision: 2 } });
  await activate(2, 1, 2);
  const state = await watched();
  expect(state).toMatchObject({ current: { revision: 2, model: { goldenRowsSha256: 'd'.repeat(64) } }, next: null });
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
});

test('preparing, activating and failing notify those who listen, with the endpoint', async () => {
  const heard: string[] = [];
  const subscription = await connection.sql.listen(ENDPOINTS_CHANNEL, (endpoint) => heard.push(endpoint));
  await prepare(1);
  await expect.poll(() => heard, SOON).toEqual([name]);
  await activate(1, null, 1);
  await expect.poll(() => heard, SOON).toEqual([name, name]);
  await prepare(2);
  await endpoints.failRevision(name, 2, 'no');
  await expect.poll(() => heard, SOON).toEqual([name, name, name, name]);
  await subscription.unlisten();
});

test('only nodes that were seen lately are live, and a node that starts again has reported nothing', async () => {
  // In one transaction, in which no time passes.
  await connection.db.transaction(async (tx) => {
    const nodes = createEndpointRepository(tx);
    const seen = (node: string, ago: string) =>
      tx.execute(sql`update serving_nodes set seen_at = now() - ${ago}::interval where node = ${node}`);
    await nodes.registerNode('a');
    await nodes.registerNode('b');
    await nodes.reportRevision('a', name, 1, 'loading', null);
    await nodes.reportRevision('a', name, 1, 'failed', 'no memory');
    expect(await nodes.nodeStates(name, 1)).toMatchObject([{ node: 'a', state: 'failed', detail: 'no memory' }]);
    await seen('b', '6 seconds');
    expect(await nodes.liveNodes()).toEqual(['a']);
    expect(await nodes.liveNodes(10_000)).toEqual(['a', 'b']);
    expect(await nodes.heartbeatNode('b')).toBe(true);
    expect(await nodes.liveNodes()).toEqual(['a', 'b']);
    await seen('b', '2 days');
    await nodes.registerNode('a');
    expect(await nodes.nodeStates(name, 1)).toEqual([]);
    expect(await nodes.heartbeatNode('b')).toBe(false);
    await nodes.removeNode('a');
    expect(await nodes.liveNodes()).toEqual([]);
  });
});

test('endpoints are listed by name in pages, and an unknown one is not found', async () => {
  await prepare(1);
  await activate(1, null, 1);
  const all = [];
  let cursor: string | undefined;
  do {
    const page = await endpoints.list({ limit: 2, cursor });
    all.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(all.map((endpoint) => endpoint.name)).toEqual(all.map((endpoint) => endpoint.name).sort());
  expect(all.find((endpoint) => endpoint.name === name)).toMatchObject({ current: { revision: 1 } });
  expect(await endpoints.get(name)).toMatchObject({ name, current: { modelVersion: 1 } });
  await expect(endpoints.get('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(endpoints.revisionStatus(name, 9)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
