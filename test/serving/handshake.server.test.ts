import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDeploymentActivities } from '../../activities/deployment.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { ENDPOINTS_CHANNEL } from '../../db/endpoint-revisions.ts';
import { createEndpointRepository, toServedModel } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startServingNode, type ServingNode } from '../../serving/node.ts';
import { createModelOpening } from '../../serving/scoring/model-opening.ts';
import { exampleVersion } from '../db/examples.ts';
import { startTestPostgres, temporaryFolder, temporaryStore, type TemporaryFolder } from '../platform.ts';
import { principalOf } from '../auth/principals.ts';
import { createInFlight } from '../../serving/in-flight.ts';
import { createTestLog, NO_BATCH_THREAD } from './doubles.ts';
import { ratesOf } from '../auth/rates.ts';
import { exampleModel, GOLDEN_ROWS, SIGNATURE, type ExampleModel } from './example-models.ts';

const CALLER = { authorization: 'Bearer ada' };
const SOON = { timeout: 60_000 };
const EVER_MS = 600_000;

let postgres: EmbeddedPostgres;
let connection: Connection;
let store: ArtifactStore;
let folders: TemporaryFolder[] = [];
let opened: { name: string; node: ServingNode; connection: Connection }[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  await migrate(postgres.url);
  connection = connect(postgres.url);
});
afterAll(async () => {
  await connection?.close();
  await postgres?.stop();
});
beforeEach(async () => {
  const made = await temporaryStore();
  store = made.store;
  folders = [made.folder];
});
afterEach(async () => {
  for (const { node, connection: own } of opened) {
    await node.stop();
    await own.close();
  }
  opened = [];
  // A node that is held up leaves without a goodbye.
  await connection.sql`delete from serving_nodes`;
  await Promise.all(folders.map((folder) => folder.remove()));
});

/** A serving process on a connection of its own, so that a test can take its database away. */
async function openNode(name: string, settings: { url?: string; folder?: string; modelUri?: string } = {}) {
  const own = connect(settings.url ?? postgres.url, { max: 3 });
  const folder = settings.folder ?? (await newFolder());
  const models = createModelRepository(own.db);
  const node = await startServingNode({
    node: name,
    repository: createEndpointRepository(own.db),
    resolveModel: async (uri) => toServedModel(await models.resolve(uri)),
    listen: (onChange) => own.sql.listen(ENDPOINTS_CHANNEL, onChange),
    store,
    folder,
    modelUri: settings.modelUri ?? 'models:/churn@production',
    opening: createModelOpening({ timeoutMs: 60_000 }),
    registry: new Registry(),
    scrape: () => Promise.resolve([]),
    log: pino({ level: 'silent' }),
    limits: { maxBodyBytes: 100_000, maxBatchBytes: 100_000, maxRows: 100 },
    enableBoom: false,
    rates: ratesOf(),
    predictionLog: createTestLog(),
    batchThread: NO_BATCH_THREAD,
    inFlight: createInFlight(100),
    traceShare: 1,
    explain: () => Promise.reject(new Error('this test explains nothing')),
    trustedProxies: [],
    corsOrigins: [],
    authenticate: (user) => Promise.resolve(principalOf({ user })),
    heartbeatMs: 200,
    pollMs: 200,
  });
  opened.push({ name, node, connection: own });
  await node.settled();
  return { node, folder };
}

async function newFolder(): Promise<string> {
  const folder = await temporaryFolder('node');
  folders.push(folder);
  return folder.path;
}

let runs = 0;
/** Registers a version of a model, whose name is its endpoint's too. */
async function register(model: string, { onnx, golden, signature }: ExampleModel) {
  const runId = `run-${process.pid}-${++runs}`;
  const { sha256: onnxSha256, bytes: onnxBytes } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  const row = { ...exampleVersion(model, runId), inputExample: GOLDEN_ROWS[0]!, signature };
  const stored = { ...row, onnxSha256, onnxBytes, goldenRowsSha256 };
  const { version } = await createModelRepository(connection.db).registerVersion(stored);
  return { endpoint: model, model: { name: model, version }, run_id: runId };
}

/** Nodes that have not left, also when this process was held up and they gave no sign of life meanwhile. */
const liveNodes = () => createEndpointRepository(connection.db).liveNodes(EVER_MS);

const activities = () => {
  const models = createModelRepository(connection.db);
  return createDeploymentActivities({
    ...createEndpointRepository(connection.db),
    liveNodes,
    productionVersion: (name) => models.versionOf(name, 'production').catch(() => null),
    traceparent: () => null,
    timing: { pollMs: 20, aliveGraceMs: 500, timeoutMs: 60_000 },
  });
};

const run = <P extends unknown[], R>(activity: (...args: P) => Promise<R>, ...args: P): Promise<R> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ...args);

/** The deployment stage, as the workflow runs it, when the nodes are known. */
async function deploy(model: string, example: ExampleModel) {
  const names = opened.map(({ name }) => name);
  await vi.waitFor(async () => expect(await liveNodes()).toEqual(names), SOON);
  const { prepareDeployment, awaitNodesReady, activateDeployment, awaitNodesServing } = activities();
  const input = await register(model, example);
  const prepared = await run(prepareDeployment, input);
  const revision = { endpoint: input.endpoint, revision: prepared.revision };
  const ready = await run(awaitNodesReady, revision);
  await run(activateDeployment, { ...input, ...prepared });
  await run(awaitNodesServing, revision);
  return { ...revision, version: input.model.version, nodes: ready.nodes };
}

async function predict({ node }: { node: ServingNode }, endpoint: string, row: object = GOLDEN_ROWS[0]!) {
  const body = JSON.stringify(row);
  const response = await node.app.request(`/api/v1/predict/${endpoint}`, { method: 'POST', body, headers: CALLER });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('a deployment ends when two nodes have checked and swapped the model, and moves the alias with the revision', async () => {
  const [a, b] = [await openNode('a'), await openNode('b')];
  const [first, second] = [await exampleModel(-1), await exampleModel(1)];

  expect(await deploy('churn', first)).toMatchObject({ revision: 1, version: 1, nodes: ['a', 'b'] });
  expect((await predict(a, 'churn')).body).toMatchObject({
    endpoint: 'churn',
    model: { name: 'churn', version: 1 },
    probability: first.golden.probabilities[0],
  });
  expect(await deploy('churn', second)).toMatchObject({ revision: 2, version: 2 });
  for (const node of [a, b]) {
    const { body } = await predict(node, 'churn');
    expect(body).toMatchObject({ model: { version: 2 }, probability: second.golden.probabilities[0] });
  }
  const { version, runId } = await createModelRepository(connection.db).getByAlias('churn', 'production');
  expect(version).toBe(2);
  const root = await a.node.app.request('/lineage', { headers: CALLER });
  expect(await root.json()).toMatchObject({ revision: 2, run_id: runId });
});

test.for([
  ['a truncated file', (good: ExampleModel) => ({ ...good, onnx: good.onnx.slice(0, 200) }), 'does not load'],
  [
    'other golden rows',
    ({ golden, ...rest }: ExampleModel) => ({
      ...rest,
      golden: { ...golden, probabilities: golden.probabilities.map((p) => p + 1e-4) },
    }),
    'golden row 0',
  ],
] as const)('%s leaves the old model serving and fails the stage with the reason', async ([what, spoil, reason]) => {
  const name = `broken-${what.split(' ')[1]!}`;
  const nodes = [await openNode('a'), await openNode('b')];
  const good = await exampleModel(-1);
  await deploy(name, good);
  await expect(deploy(name, spoil(await exampleModel(1)))).rejects.toMatchObject({
    type: 'DEPLOYMENT_FAILED',
    nonRetryable: true,
    message: expect.stringContaining(reason) as string,
  });
  for (const node of nodes) {
    const { body } = await predict(node, name);
    expect(body).toMatchObject({ model: { version: 1 }, probability: good.golden.probabilities[0] });
  }
  const endpoints = createEndpointRepository(connection.db);
  expect((await endpoints.revisions(name)).map(({ state }) => state)).toEqual(['failed', 'active']);
  expect(await createModelRepository(connection.db).versionOf(name, 'production')).toBe(1);
  // The next good one is not held up.
  expect(await deploy(name, await exampleModel(2))).toMatchObject({ revision: 3 });
});

test('a model whose inputs are not those of its signature, or that answers NaN, is refused', async () => {
  await openNode('a');
  const nan = await exampleModel(NaN);
  const golden = { ...nan.golden, probabilities: [0.5, 0.5, 0.5] };
  await expect(deploy('nan', { ...nan, golden })).rejects.toThrow('golden row 0: the model answers NaN');
  const signature = { ...SIGNATURE, inputs: SIGNATURE.inputs.slice(0, 2) };
  const other = { ...(await exampleModel()), signature };
  await expect(deploy('inputs', other)).rejects.toThrow('takes input plan, which its signature lacks');
});

test('a deployment fails when no serving process is alive', async () => {
  await expect(deploy('nobody', await exampleModel())).rejects.toMatchObject({
    type: 'DEPLOYMENT_FAILED',
    message: 'no serving process is alive to load nobody',
  });
});

test('a node that starts later serves what is current, and a pinned version is not moved by a deployment', async () => {
  await openNode('a');
  await deploy('late', await exampleModel(-1));
  const pinned = await openNode('b', { modelUri: 'models:/late/1' });
  const answer = async () => (await predict(pinned, 'late')).body;
  await expect.poll(answer, SOON).toMatchObject({ model: { version: 1 } });
  const meta = async () => await (await pinned.node.app.request('/meta', { headers: CALLER })).json();
  const first = { endpoint: null, revision: null, model: { name: 'late', version: 1 } };
  await expect.poll(meta, SOON).toMatchObject(first);
  await deploy('late', await exampleModel(1));
  expect(await meta()).toMatchObject(first);
  await expect.poll(answer, SOON).toMatchObject({ model: { version: 2 } });
});

test('a node serves on without Postgres, and restarts from its disk without Postgres and store', async () => {
  const own = await startTestPostgres();
  await migrate(own.url);
  const good = await exampleModel(-1);
  const shared = connection;
  connection = connect(own.url);
  try {
    const first = await openNode('a', { url: own.url });
    await deploy('churn', good);
    await expect.poll(() => first.node.notReady(), SOON).toBeNull();
    await connection.close();
    await own.stop();
    expect((await predict(first, 'churn')).body).toMatchObject({ probability: good.golden.probabilities[0] });

    store = { ...store, getFile: () => Promise.reject(new Error('the store is away')) };
    const again = await openNode('a2', { url: own.url, folder: first.folder });
    expect((await predict(again, 'churn')).body).toMatchObject({ probability: good.golden.probabilities[0] });
    expect((await again.node.app.request('/readyz')).status).toBe(200);
  } finally {
    connection = shared;
  }
});
