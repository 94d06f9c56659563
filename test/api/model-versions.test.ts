import { expect, test, vi } from 'vitest';
import type { ApiDeps } from '../../api/app.ts';
import { scopesOf } from '../../auth/roles.ts';
import { canonicalBytes } from '../../api/canonical-json.ts';
import type { CheckModel } from '../../api/model-check.ts';
import type { ImportVersionInput } from '../../db/models.ts';
import type { ModelVersion } from '../../db/schema/models.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { principalOf } from '../auth/principals.ts';
import { exampleDefinition, exampleVersion } from '../db/examples.ts';
import { createTestApp, problemOf } from './doubles.ts';

const { signature } = exampleVersion('churn', 'r1');
const golden = { rows: [{ age: 1 }, { age: 2 }], probabilities: [0.1, 0.2] };
const accept = () => vi.fn<CheckModel>(() => Promise.resolve({ signature, golden }));

/** Models that keep what is brought. */
function createFakeModels(known: readonly ModelVersion[] = []) {
  const rows = [...known];
  const find = (name: string, version: number) => rows.find((row) => row.modelName === name && row.version === version);
  return {
    rows,
    versionOfFile: (name: string, sha256: string) =>
      Promise.resolve(rows.find((row) => row.modelName === name && row.onnxSha256 === sha256) ?? null),
    importVersion: (input: ImportVersionInput) => {
      const version = rows.length + 1;
      const unknown = { runId: null, algorithm: null, gatesPassed: null, evaluationSha256: null, codeCommit: null };
      const noOrigin = {
        referenceProfileSha256: null,
        explainerSha256: null,
        datasetVersionId: null,
        datasetSha256: null,
      };
      const noPipeline = { pipelineName: null, pipelineVersion: null, definitionSha256: null };
      const rest = { version, hyperparameters: {}, metrics: {}, createdAt: new Date('2026-01-01T00:00:00Z') };
      rows.push({ ...input, ...unknown, ...noOrigin, ...noPipeline, ...rest });
      return Promise.resolve({ name: input.modelName, version, created: true });
    },
    getVersion: (name: string, version: number) => {
      const row = find(name, version);
      return row ? Promise.resolve(row) : Promise.reject(notFound('model version', `${name}/${version}`));
    },
  };
}
const made = (change: Partial<ModelVersion> = {}): ModelVersion => ({
  ...exampleVersion('churn', 'r1'),
  version: 1,
  importedBy: null,
  createdAt: new Date('2026-01-01T00:00:00Z'),
  ...change,
});

function setUp({ checkModel = accept(), known = [] as ModelVersion[], ...changes }: Partial<ApiDeps> & { known?: ModelVersion[] } = {}) {
  const models = createFakeModels(known);
  const api = createTestApp({ models: models as unknown as ApiDeps['models'], checkModel, ...changes });
  const bring = async (body: string, headers: Record<string, string> = {}) =>
    await api.app.request('/api/v1/models/churn/versions', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body,
    });
  const deploy = (version: number, body: unknown = {}, headers = {}) =>
    api.post(`/api/v1/models/churn/versions/${version}/deploy`, body, headers);
  return { ...api, models, checkModel, bring, deploy };
} // prettier-ignore

test('a file that passes its check becomes a version with its golden rows, in the name of who brought it', async () => {
  const { bring, models, store, leftovers } = setUp();
  const response = await bring('a model');
  expect([response.status, response.headers.get('location')]).toEqual([201, '/api/v1/models/churn/versions/1']);
  expect(await response.json()).toMatchObject({
    source: 'import',
    imported_by: 'tester',
    gates_passed: null,
    signature,
  });
  const [row] = models.rows;
  expect(Buffer.from(await store.get(row!.onnxSha256)).toString()).toBe('a model');
  expect(JSON.parse(Buffer.from(await store.get(row!.goldenRowsSha256)).toString())).toEqual(golden);
  expect(row!.inputExample).toEqual(golden.rows[0]);
  expect(await leftovers()).toEqual([]);
});

test('the same file again is not checked again: 200 and the version it is', async () => {
  const { bring, checkModel } = setUp();
  await bring('a model');
  const again = await bring('a model');
  expect([again.status, ((await again.json()) as { version: number }).version]).toEqual([200, 1]);
  expect(checkModel).toHaveBeenCalledTimes(1);
});

test('a file that is refused leaves nothing: no version, no artifact, no upload', async () => {
  const details = [{ path: 'graph.node[3]', rule: 'operator', message: 'Loop repeats a graph' }];
  const checkModel = () => Promise.reject(new PlatformError('INVALID', 'the model file is refused', { details }));
  const { bring, models, store, leftovers } = setUp({ checkModel });
  const put = vi.spyOn(store, 'putFile');
  const response = await bring('a model');
  expect([response.status, (await problemOf(response)).errors]).toEqual([422, details]);
  expect([models.rows, put.mock.calls, await leftovers()]).toEqual([[], [], []]);
});

test('a file larger than a model may be is refused, announced or in chunks; other types are not read', async () => {
  const { bring, checkModel } = setUp({ maxModelBytes: 10 });
  const large = 'more than ten bytes';
  const chunks = () => new ReadableStream({ start: (stream) => (stream.enqueue(Buffer.from(large)), stream.close()) });
  expect((await bring(large, { 'content-length': String(large.length) })).status).toBe(413);
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: chunks(),
    duplex: 'half',
  };
  const { app } = setUp({ maxModelBytes: 10 });
  expect((await app.request('/api/v1/models/churn/versions', init as RequestInit)).status).toBe(413);
  expect((await bring('{}', { 'content-type': 'application/json' })).status).toBe(415);
  expect(checkModel).not.toHaveBeenCalled();
});

test('a deployment starts one job, by default on the endpoint that the pipeline of the version names', async () => {
  const { deploy, engine, store, models } = setUp({ known: [made()] });
  const { sha256 } = await store.put(canonicalBytes({ ...exampleDefinition('churn'), endpoint: 'retention' }));
  models.rows[0] = { ...models.rows[0]!, definitionSha256: sha256 };
  const response = await deploy(1, {}, { 'idempotency-key': 'k1' });
  const body = (await response.json()) as { job_id: string; status_url: string };
  expect([response.status, response.headers.get('location')]).toEqual([202, body.status_url]);
  expect(body.job_id).toMatch(/^deploy-churn-1-[0-9a-f]{32}$/);
  expect(engine.jobs.get(body.job_id)!.job).toMatchObject({
    kind: 'deploy_model',
    model: 'churn',
    input: {
      model: { name: 'churn', version: 1 },
      endpoint: 'retention',
      override_gates: false,
      requested_by: 'tester',
    },
  });
  expect(await (await deploy(1, {}, { 'idempotency-key': 'k1' })).json()).toEqual(body);
  expect(engine.jobs.size).toBe(1);
});

test('a model from outside goes to the endpoint of its own name, or to the one asked for', async () => {
  const { bring, deploy, engine } = setUp();
  await bring('a model');
  for (const [body, endpoint] of [[{}, 'churn'], [{ endpoint: 'other' }, 'other']] as const) {
    const { job_id } = (await (await deploy(1, body)).json()) as { job_id: string };
    expect(engine.jobs.get(job_id)!.job.input).toMatchObject({ endpoint });
  }
}); // prettier-ignore

test('a version that missed its gates needs override_gates; an unknown version and a wrong body start nothing', async () => {
  const { deploy, engine } = setUp({ known: [made({ gatesPassed: false })] });
  const missed = await deploy(1, { endpoint: 'churn' });
  expect([missed.status, await problemOf(missed)]).toMatchObject([
    422,
    { code: 'QUALITY_GATE', errors: [{ path: 'override_gates' }] },
  ]);
  expect((await deploy(2, { endpoint: 'churn' })).status).toBe(404);
  expect((await deploy(1, { endpoint: '../x' })).status).toBe(422);
  expect((await deploy(1, { force: true })).status).toBe(422);
  expect(engine.jobs.size).toBe(0);
  const { job_id } = (await (await deploy(1, { endpoint: 'churn', override_gates: true })).json()) as {
    job_id: string;
  };
  expect(engine.jobs.get(job_id)!.job.input).toMatchObject({ override_gates: true });
});

test('an API key for other endpoints does not deploy to this one', async () => {
  const apiKey = { id: 'k', name: 'ci', endpoints: ['other'] };
  const authenticate = (user: string) => Promise.resolve(principalOf({ user, apiKey }));
  const { deploy, engine } = setUp({ known: [made()], authenticate });
  expect((await deploy(1, { endpoint: 'churn' })).status).toBe(403);
  expect(engine.jobs.size).toBe(0);
});

test('a deployment is cancelled by who may release, a run by who may train', async () => {
  const role = (user: string) => (user === 'dan' ? 'deployer' : user === 'sara' ? 'scientist' : 'admin');
  const authenticate = (user: string) =>
    Promise.resolve(principalOf({ user, role: role(user), scopes: scopesOf(role(user)) }));
  const { deploy, app, post } = setUp({ known: [made()], authenticate });
  const deployment = (await (await deploy(1, { endpoint: 'churn' })).json()) as { job_id: string };
  const source = { kind: 'object', key: 'churn.csv', format: 'csv' };
  const training = (await (await post('/api/v1/train', { pipeline: 'churn', source })).json()) as { job_id: string };
  const cancel = async (user: string, { job_id }: { job_id: string }) => {
    const headers = { authorization: `Bearer ${user}` };
    return (await app.request(`/api/v1/runs/${job_id}/cancel`, { method: 'POST', headers })).status;
  };
  expect([await cancel('sara', deployment), await cancel('dan', deployment)]).toEqual([403, 202]);
  expect([await cancel('dan', training), await cancel('sara', training)]).toEqual([403, 202]);
});
