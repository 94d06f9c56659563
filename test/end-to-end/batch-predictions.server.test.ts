import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { artifactKey } from '../../lib/artifact-store.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import { exampleCustomer } from '../../pipelines/churn.ts';
import { sampleCsv } from '../../pipelines/sample-data.ts';
import { startTestPlatform, type RunView, type TestPlatform } from './platform.ts';

const ROUTE = '/api/v1/batch-predictions';
const ROWS = 300_000;
const OVERRIDES = {
  evaluation: { gates: [], max_regression: 1 },
  candidates: [{ algorithm: 'gradient_boosting', trees: [100], max_leaves: [31] }],
};
interface BatchView {
  readonly state: string;
  readonly rows: number;
  readonly rows_failed: number;
  readonly chunks: number;
  readonly model: { readonly version: number };
  readonly output: { readonly sha256: string; readonly bytes: number; readonly url: string };
  readonly manifest: { readonly sha256: string; readonly url: string };
}
interface Manifest {
  readonly rows: number;
  readonly chunks: readonly { readonly rows: number; readonly input_sha256: string; readonly output_sha256: string }[];
}

let platform: TestPlatform;
let small: string;
let large: string;
/** What scoring the large table with version 1 gives when nothing disturbs it. */
let undisturbed: BatchView;
let chunks: Manifest['chunks'];
beforeAll(async () => {
  platform = await startTestPlatform();
  small = await platform.uploadSample('churn', 3000);
  await train();
  large = await platform.uploadSample('churn', ROWS, 11);
  undisturbed = await scored(await begin({ model: 'models:/churn/1', dataset_version: large }));
  chunks = (await platform.get<Manifest>(undisturbed.manifest.url)).body.chunks;
});
afterAll(() => platform.stop());

async function train(): Promise<void> {
  const run = await platform.train({ pipeline: 'churn', dataset_version: small, overrides: OVERRIDES });
  expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED' });
}

async function begin(request: object): Promise<string> {
  const { status, body } = await platform.post<{ job_id: string }>(ROUTE, request);
  expect(status, JSON.stringify(body)).toBe(202);
  return body.job_id;
}
const view = async (id: string) => (await platform.get<BatchView>(`${ROUTE}/${id}`)).body;
async function scored(id: string): Promise<BatchView> {
  const run = await platform.waitFor(id, ({ state }) => ['COMPLETED', 'FAILED'].includes(state));
  expect(run.error?.message ?? run.state).toBe('COMPLETED');
  return await view(id);
}

/** Downloads the result, checks its hash and answers what SQL says of it. */
async function query<T extends Record<string, unknown>>({ output }: BatchView, sql: string): Promise<T[]> {
  const response = await platform.send(`${platform.urls.api}${output.url}`);
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes).toHaveLength(output.bytes);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(output.sha256);
  const path = join(platform.home, `${output.sha256}.parquet`);
  await writeFile(path, bytes);
  const limits = { memoryLimit: '500MB', tempDir: platform.home };
  return await withDuckDb(limits, (db) => db.rows<T>(sql.replaceAll('output', `read_parquet('${path}')`)));
}

/** From now on who reads this artifact comes no further than its beginning. */
async function hold(sha256: string) {
  const path = join(platform.home, 'artifacts', artifactKey(sha256));
  const kept = `${path}.kept`;
  let held: FileHandle | undefined;
  await rename(path, kept);
  onTestFinished(() => rename(kept, path).catch(() => undefined)); // also when the test fails
  await promisify(execFile)('mkfifo', [path]);
  return {
    /** Resolves when somebody reads it. */
    isRead: async (): Promise<void> => {
      while (!held) {
        held = await open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENXIO') return undefined; // nobody yet
          throw error;
        });
        await delay(20);
      }
    },
    /** The reader gets all of it, and so do later ones. */
    release: async (): Promise<void> => {
      const reader = await open(path, 'w');
      await rename(kept, path);
      await reader.writeFile(await readFile(path));
      await Promise.all([reader.close(), held?.close()]);
    },
    /** The reader is dead; later ones get all of it. */
    putBack: async (): Promise<void> => {
      await rename(kept, path);
      await held?.close();
    },
  };
}

const customers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...exampleCustomer,
    account_age: index % 70,
    support_tickets: index % 5,
  }));

test('every row is scored as the endpoint scores it; one that breaks a rule has the rule instead', async () => {
  const rows = customers(1000);
  const lines = rows.map((row, index) => JSON.stringify({ customer: `c-${index}`, ...row }));
  const broken = JSON.stringify({ customer: 'c-1000', ...exampleCustomer, account_age: 'young' });
  const dataset_version = await platform.upload('customers', [`${[...lines, broken].join('\n')}\n`], 'application/x-ndjson');
  const result = await scored(await begin({ endpoint: 'churn', dataset_version }));
  expect(result).toMatchObject({ rows: 1001, rows_failed: 1, chunks: 1 });

  const response = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows }),
  });
  const served = (await response.json()) as {
    model: { version: number };
    predictions: { label: string; probability: number; decision: string }[];
  };
  expect(served.model.version).toBe(result.model.version);
  const table = await query<{ customer: string; label: string; probability: number; decision: string; error: string }>(
    result,
    `SELECT customer, prediction_label AS label, prediction_probability AS probability, prediction_decision AS decision,
      prediction_error AS error FROM output`,
  );
  expect(table.map(({ customer }) => customer)).toEqual(Array.from({ length: 1001 }, (_, index) => `c-${index}`));
  expect(table.at(-1)).toMatchObject({ label: null, probability: null, error: 'account_age: must be a number, not young' });
  const [answers, expected] = [table.slice(0, -1), served.predictions];
  expect(answers.map(({ label, decision, error }) => [label, decision, error])).toEqual(
    expected.map(({ label, decision }) => [label, decision, null]),
  );
  expect(answers.map(({ probability }) => probability)).toEqual(expected.map(({ probability }) => probability));
}); // prettier-ignore

test('the manifest says what the result was made of, and another run of the same makes the same file', async () => {
  const { body } = await platform.get<Manifest>(undisturbed.manifest.url);
  const [version, dataset] = await Promise.all([
    platform.get<{ onnx: { sha256: string } }>('/api/v1/models/churn/versions/1'),
    platform.get<{ sha256: string }>(`/api/v1/datasets/${large}`),
  ]);
  expect(body).toMatchObject({
    model: { uri: 'models:/churn/1', onnx_sha256: version.body.onnx.sha256 },
    dataset: { version: large, sha256: dataset.body.sha256 },
    rows: ROWS,
    rows_failed: 0,
    output: { sha256: undisturbed.output.sha256, bytes: undisturbed.output.bytes },
  });
  expect(body.chunks.length).toBeGreaterThan(4);
  expect(body.chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS);
  const again = await scored(await begin({ model: 'models:/churn@production', dataset_version: large }));
  expect([again.output.sha256, again.manifest.sha256]).toEqual([
    undisturbed.output.sha256,
    undisturbed.manifest.sha256,
  ]);
});

const killed = new Set<number>();
/** Kills the one that runs now; one that has just been started is known a moment later. */
async function kill(name: string): Promise<void> {
  const pid = () => platform.pids()[name]!;
  await expect.poll(() => killed.has(pid()), { timeout: 60_000 }).toBe(false);
  killed.add(pid());
  process.kill(pid(), 'SIGKILL');
}
async function killReader(held: Awaited<ReturnType<typeof hold>>): Promise<void> {
  await held.isRead();
  await kill('worker-pipeline');
  await held.putBack();
}

test('a worker killed in every stage, and Temporal once, change no byte: each row is there once', async () => {
  const { body: dataset } = await platform.get<{ sha256: string }>(`/api/v1/datasets/${large}`);
  const [first, last] = [chunks[0]!, chunks.at(-1)!];
  const planning = await hold(dataset.sha256);
  const [scoring, scoringLast] = [await hold(first.input_sha256), await hold(last.input_sha256)];
  const assembling = await hold(first.output_sha256);
  const id = await begin({ model: 'models:/churn/1', dataset_version: large, run_id: 'killed-often' });
  await killReader(planning);
  await killReader(scoring);
  await platform.waitFor(id, ({ batch }) => (batch?.chunks_scored ?? 0) >= 2);
  await kill('temporal');
  await killReader(scoringLast);
  await killReader(assembling);
  const result = await scored(id);
  expect(result.output).toEqual({ ...undisturbed.output, url: `${ROUTE}/${id}/output` });
  expect(result.manifest.sha256).toBe(undisturbed.manifest.sha256);
  const counts = 'count(*) AS rows, count(DISTINCT prediction_row) AS numbers, count(prediction_probability) AS scored';
  const all = String(ROWS);
  expect(await query(result, `SELECT ${counts} FROM output`)).toEqual([{ rows: all, numbers: all, scored: all }]);
  const broken = (await readdir(join(platform.home, 'work'))).map((name) => name.replace(/-[^-]*$/, ''));
  expect(new Set(broken)).toEqual(new Set(['batch-plan', 'batch-chunk', 'batch-output']));
});

/** What the workflow says; an answer may be from the database when a worker is slow. */
const fresh = async (answer: RunView) =>
  answer.stale ? await platform.waitFor(answer.job_id, ({ stale }) => !stale) : answer;

test('a batch is paused with its running chunks, resumed to the same file; one that is paused can be cancelled', async () => {
  const running = [await hold(chunks[0]!.input_sha256), await hold(chunks[1]!.input_sha256)];
  const id = await begin({ model: 'models:/churn/1', dataset_version: large });
  await Promise.all(running.map(({ isRead }) => isRead()));
  const paused = await platform.post<RunView>(`/api/v1/runs/${id}/pause`, {});
  expect(paused.status).toBe(202);
  expect(await fresh(paused.body)).toMatchObject({ state: 'PAUSED', waiting_for: 'somebody to resume it' });
  await Promise.all(running.map(({ release }) => release()));
  await platform.waitFor(id, ({ batch }) => batch?.chunks_scored === 2);
  await delay(5000); // time enough for all chunks, were it not held
  const held = await fresh(await platform.run(id));
  expect(held).toMatchObject({ state: 'PAUSED', stage: 'scoring', batch: { chunks_scored: 2 } });
  expect((await platform.get(`${ROUTE}/${id}/output`)).status).toBe(409);
  const resumed = await platform.post<RunView>(`/api/v1/runs/${id}/resume`, {});
  expect(resumed.status).toBe(202);
  expect((await fresh(resumed.body)).state).toMatch(/^(RUNNING|COMPLETED)$/); // it goes on while it is asked
  expect((await scored(id)).output.sha256).toBe(undisturbed.output.sha256);

  const other = await begin({ model: 'models:/churn/1', dataset_version: large });
  expect((await platform.post(`/api/v1/runs/${other}/pause`, {})).status).toBe(202);
  expect((await platform.post(`/api/v1/runs/${other}/cancel`, {})).status).toBe(202);
  expect(await platform.finished(other)).toMatchObject({ state: 'CANCELLED' });
  expect((await platform.post(`/api/v1/runs/${other}/resume`, {})).status).toBe(409);
});

test('an alias that moves meanwhile changes nothing: the version of the start scores to the end', async () => {
  const running = await hold(chunks[0]!.input_sha256);
  const id = await begin({ model: 'models:/churn@production', dataset_version: large });
  await running.isRead();
  expect((await platform.post(`/api/v1/runs/${id}/pause`, {})).status).toBe(202);
  await running.release();
  await train();
  expect((await platform.get<{ aliases: { version: number }[] }>('/api/v1/models/churn')).body.aliases).toMatchObject([
    { version: 2 },
  ]);
  expect((await platform.post(`/api/v1/runs/${id}/resume`, {})).status).toBe(202);
  expect((await scored(id)).output.sha256).toBe(undisturbed.output.sha256);
});

test('a source becomes a dataset version of the model’s name; a table without a feature fails by its name', async () => {
  const csv = [...sampleCsv('churn', 2000, 5)].join('');
  const folder = join(platform.home, 'artifacts', 'incoming-batches');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'rows.csv'), csv);
  const source = { kind: 'object', key: 'incoming-batches/rows.csv', format: 'csv' };
  const id = await begin({ model: 'models:/churn/1', source });
  expect(await scored(id)).toMatchObject({ rows: 2000, rows_failed: 0 });
  const { dataset_version } = await platform.run(id);
  const { body } = await platform.get(`/api/v1/datasets/${dataset_version}`);
  expect(body).toMatchObject({ name: 'churn', sha256: createHash('sha256').update(csv).digest('hex') });

  const lacking = await platform.upload('customers', ['account_age,monthly_charges\n1,2\n']);
  const failed = await platform.finished(await begin({ model: 'models:/churn/1', dataset_version: lacking }));
  expect(failed).toMatchObject({ state: 'FAILED', stage: 'planning', error: { code: 'DATA_CONTRACT' } });
  expect(failed.error!.details).toContainEqual({
    path: 'total_charges',
    rule: 'missing_column',
    message: 'the column is missing',
  });
});
