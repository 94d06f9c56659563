import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../db/connect.ts';
import { createServingNodeRepository } from '../../db/serving-nodes.ts';
import { artifactKey } from '../../lib/artifact-store.ts';
import { claimPort } from '../../lib/ports.ts';
import { churnRows } from '../../pipelines/churn.ts';
import { SECRETS, startTestPlatform, type Answer, type TestPlatform } from './platform.ts';

const PROJECT = join(import.meta.dirname, '../..');
const FEATURES = [...churnRows(40, 3)].map(({ churned: _, ...features }) => features);
const CUSTOMER = FEATURES[0]!;
const QUICK = {
  candidates: [{ algorithm: 'gradient_boosting', trees: [20], max_leaves: [7] }],
  evaluation: { gates: [], max_regression: 1 },
};

let platform: TestPlatform;
let datasets: string[];
let second: Serving;
beforeAll(async () => {
  platform = await startTestPlatform({ ...SECRETS, MAX_BATCH_BYTES: '50000' });
  datasets = [];
  for (const seed of [1, 2, 3, 4]) datasets.push(await platform.uploadSample('churn', 3000, seed));
});
afterAll(async () => {
  await second?.stop();
  await platform.stop();
});

type Serving = Awaited<ReturnType<typeof startServing>>;
/** One more serving process of the platform. */
async function startServing(settings: Record<string, string> = {}) {
  const port = await claimPort(0, 'SERVING_PORT');
  const child: ChildProcess = spawn(process.execPath, [join(PROJECT, 'serving/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...SECRETS,
      ANNEAL_HOME: platform.home,
      DATABASE_URL: platform.databaseUrl,
      SERVING_PORT: String(port),
      SHUTDOWN_GRACE_SECONDS: '3',
      LOG_LEVEL: 'warn',
      ...settings,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const alive = () => fetch(`${url}/livez`).then(({ ok }) => ok, () => false); // prettier-ignore
  try {
    await expect.poll(alive, { timeout: 180_000 }).toBe(true);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid!, stop };
}

async function ask<T = Record<string, unknown>>(url: string, body?: unknown): Promise<Answer<T>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const response = await platform.send(url, body === undefined ? {} : { method: 'POST', headers, body: text });
  return { status: response.status, headers: response.headers, body: (await response.json()) as T };
}
const serving = (path: string) => `${platform.urls.serving}${path}`;
const isReady = (url: string) => async () => (await ask(`${url}/readyz`)).status;

interface Meta {
  readonly model: { name: string; version: number };
  readonly threshold: number;
  readonly commit: string;
}
const versionAt = async (url: string) => (await ask<Meta>(`${url}/meta`)).body.model.version;

const start = (dataset: number) =>
  platform.train({ pipeline: 'churn', dataset_version: datasets[dataset]!, overrides: QUICK });
const deploy = async (dataset: number) => {
  const run = await platform.finished(await start(dataset));
  expect(run.error?.message ?? run.state).toBe('COMPLETED');
  return run;
};
interface EndpointView {
  readonly current: { revision: number; model: { version: number } };
  readonly revisions: { revision: number; state: string; detail: string | null }[];
  readonly nodes: { node: string; state: string }[];
}
/** Those that a deployment waits for. */
const liveNodes = async () => {
  const { db, close } = connect(platform.databaseUrl);
  return await createServingNodeRepository(db).liveNodes().finally(close);
};
const endpoint = async () => (await platform.get<EndpointView>('/api/v1/endpoints/churn')).body;

test('before a first model the process is alive but not ready: 503 with Retry-After, on predictions too', async () => {
  expect((await ask(serving('/livez'))).status).toBe(200);
  const health = await ask(serving('/health'));
  expect(health).toMatchObject({ status: 503, body: { status: 'not_ready', model_uri: 'models:/churn@production' } });
  const answers = [health, await ask(serving('/predict'), CUSTOMER), await ask(serving('/meta'))];
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
  for (const { headers } of answers) expect(headers.get('retry-after')).toMatch(/^\d+$/);
  expect(answers[1]!.body).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a deployment ends when every live serving process serves it', async () => {
  second = await startServing();
  await expect.poll(liveNodes, { timeout: 60_000 }).toHaveLength(2);
  await deploy(0);
  const { current, nodes } = await endpoint();
  expect(current.model.version).toBe(1);
  expect(nodes.map(({ state }) => state)).toEqual(['serving', 'serving']);
  for (const url of [platform.urls.serving, second.url]) {
    expect(await versionAt(url)).toBe(1);
    expect((await ask(`${url}/predict`, CUSTOMER)).status).toBe(200);
  }
});

test('the root says what is served: health, meta, lineage, metrics; /boom is off', async () => {
  const { body: version } = await platform.get<{ metrics: object; hyperparameters: object; code_commit: string; dataset: { version: string; sha256: string }; signature: { threshold: number } }>('/api/v1/models/churn/versions/1'); // prettier-ignore
  expect(await ask(serving('/health'))).toMatchObject({ status: 200, body: { status: 'ok', model_uri: 'models:/churn@production' } }); // prettier-ignore
  expect((await ask(serving('/meta'))).body).toMatchObject({
    model: { name: 'churn', version: 1 },
    threshold: version.signature.threshold,
    commit: version.code_commit,
  });
  expect((await ask(serving('/lineage'))).body).toMatchObject({
    data: { dataset_version: datasets[0], sha256: version.dataset.sha256 },
    code: { commit: version.code_commit },
    metrics: version.metrics,
    hyperparameters: version.hyperparameters,
  });
  expect(version.code_commit).toMatch(/^[0-9a-f]{7,40}/);
  const metrics = await (await fetch(serving('/metrics'))).text();
  expect(metrics).toMatch(/^# TYPE /m);
  expect(metrics).toMatch(/churn/);
  expect((await ask(serving('/boom'))).status).toBe(404);
  const models = await ask<{ models: { model: object; default: boolean }[] }>(serving('/api/v1/predict/models'));
  expect(models.body.models).toMatchObject([{ model: { name: 'churn', version: 1 }, default: true }]);
});

test.each([
  ['a missing required feature', { account_age: undefined }, ['account_age required']],
  ['null where none may be', { account_age: null }, ['account_age not_null']],
  ['a wrong type', { monthly_charges: '70', num_services: true }, ['monthly_charges type', 'num_services type']],
  ['an unknown column', { shoe_size: 42 }, ['shoe_size unknown_column']],
])('a row with %s is refused with 422 that names each field', async (_, change, expected) => {
  const row = { ...CUSTOMER, ...change };
  for (const [path, body, prefix] of [['/predict', row, ''], ['/api/v1/predict/churn/batch', { rows: [CUSTOMER, row] }, 'rows[1].']] as const) {
    const answer = await ask<{ code: string; errors: { path: string; rule: string }[] }>(serving(path), body);
    expect(answer).toMatchObject({ status: 422, body: { code: 'INVALID' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.errors.map((error) => `${error.path} ${error.rule}`)).toEqual(expected.map((error) => prefix + error));
  }
}); // prettier-ignore

test('NaN and Infinity are 422, a large body 413, an unknown model 404, no JSON 400', async () => {
  for (const number of ['NaN', 'Infinity', '-Infinity', '1e999']) {
    const text = JSON.stringify({ ...CUSTOMER, account_age: 0 }).replace('"account_age":0', `"account_age":${number}`);
    const answer = await ask(serving('/predict'), text);
    expect({ number, status: answer.status }).toEqual({ number, status: 422 });
    expect(answer.body).toMatchObject({ errors: [{ path: 'account_age', rule: 'finite' }] });
  }
  const large = { rows: Array.from({ length: 400 }, () => CUSTOMER) };
  expect(await ask(serving('/api/v1/predict/batch'), large)).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
  expect(await ask(serving('/api/v1/predict/nobody'), CUSTOMER)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect((await ask(serving('/predict'), '{')).status).toBe(400);
}); // prettier-ignore

interface Batch {
  readonly model: { version: number };
  readonly predictions: { probability: number }[];
}
/** Asks both processes without a pause until stopped. */
function keepAsking() {
  const answers: Answer<Batch>[] = [];
  let asking = true;
  const loops = [platform.urls.serving, second.url].map(async (url) => {
    while (asking) answers.push(await ask<Batch>(`${url}/api/v1/predict/churn/batch`, { rows: FEATURES }));
  });
  const stop = async () => {
    asking = false;
    await Promise.all(loops);
  };
  return { answers, stop };
}

test('predictions go on through two deployments: none fails, each is answered wholly by one version', async () => {
  const { answers, stop } = keepAsking();
  const answeredBy = (version: number) => () =>
    answers.some(({ status, body }) => status === 200 && body.model.version === version);
  await deploy(1);
  await expect.poll(answeredBy(2), { timeout: 60_000 }).toBe(true);
  await deploy(2);
  await expect.poll(answeredBy(3), { timeout: 60_000 }).toBe(true);
  await expect.poll(() => answers.length, { timeout: 60_000 }).toBeGreaterThan(100);
  await stop();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const byVersion = new Map<number, Set<string>>();
  for (const { body } of answers) {
    const seen = byVersion.get(body.model.version) ?? new Set();
    byVersion.set(body.model.version, seen.add(body.predictions.map(({ probability }) => probability).join()));
  }
  expect([...byVersion.keys()].sort()).toEqual([1, 2, 3]);
  expect([...byVersion.values()].map((seen) => seen.size)).toEqual([1, 1, 1]);
  expect(new Set([...byVersion.values()].flatMap((seen) => [...seen])).size).toBe(3);
  expect(answers.length).toBeGreaterThan(100);
});

test('a model that does not load leaves the old one serving and fails the stage with the node’s reason', async () => {
  // The nodes are held still until the file is spoiled on the store.
  const pids = [platform.pids()['serving']!, second.pid];
  pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  let id: string;
  try {
    id = await start(3);
    await platform.waitFor(id, ({ stage }) => stage === 'deployment');
    const { body } = await platform.get<{ onnx: { sha256: string } }>('/api/v1/models/churn/versions/4');
    await writeFile(join(platform.home, 'artifacts', artifactKey(body.onnx.sha256)), 'no ONNX at all');
  } finally {
    pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  const run = await platform.finished(id);
  expect(run).toMatchObject({ state: 'FAILED', stage: 'deployment', promoted: false, error: { code: 'DEPLOYMENT_FAILED' } });
  expect(run.error!.message).not.toContain(platform.home);
  const { current, revisions } = await endpoint();
  expect(current.model.version).toBe(3);
  expect(revisions[0]).toMatchObject({ revision: 4, state: 'failed', detail: run.error!.message });
  expect((await platform.get('/api/v1/models/churn')).body).toMatchObject({ aliases: [{ alias: 'production', version: 3 }] });
  for (const url of [platform.urls.serving, second.url]) {
    expect(await ask<Batch>(`${url}/predict`, CUSTOMER)).toMatchObject({ status: 200, body: { model: { version: 3 } } });
    expect((await ask(`${url}/readyz`)).status).toBe(200);
  }
}); // prettier-ignore

test('a process that starts later serves what is current; MODEL_URI comes before the configuration file, that before the alias', async () => {
  const file = join(platform.home, 'serving.yaml');
  await writeFile(file, 'model_uri: models:/churn/2\n');
  const late = await Promise.all([
    startServing({ ENABLE_BOOM: 'true' }),
    startServing({ SERVING_CONFIG: file }),
    startServing({ SERVING_CONFIG: file, MODEL_URI: 'models:/churn/1' }),
  ]);
  onTestFinished(async () => void (await Promise.all(late.map(({ stop }) => stop()))));
  for (const { url } of late) await expect.poll(isReady(url), { timeout: 180_000 }).toBe(200);
  expect(await Promise.all(late.map(({ url }) => versionAt(url)))).toEqual([3, 2, 1]);
  const uris = await Promise.all(late.map(async ({ url }) => (await ask(`${url}/health`)).body['model_uri']));
  expect(uris).toEqual(['models:/churn@production', 'models:/churn/2', 'models:/churn/1']);
  expect(await ask(`${late[2].url}/predict`, CUSTOMER)).toMatchObject({ status: 200, body: { model: { version: 1 } } });
  // The pinned ones serve the endpoint by its name all the same.
  expect(await ask(`${late[2].url}/api/v1/predict/churn`, CUSTOMER)).toMatchObject({ body: { model: { version: 3 } } });
  expect(await ask(`${late[0].url}/boom`)).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
}); // prettier-ignore
