import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withDuckDb } from '../../lib/duckdb.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import type { DataSource } from '../../pipelines/definition.ts';
import { churn, churnRows } from '../../pipelines/churn.ts';
import { sampleCsv, sampleNdjson } from '../../pipelines/sample-data.ts';
import { csv, ndjson, shopDefinition, shopRows, type ShopRow } from '../data/examples.ts';
import { startTestPostgres, temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { startTestPlatform, type RunView, type TestPlatform } from './platform.ts';

const SOON = { timeout: 60_000, interval: 200 };
const ROWS = 3000;
const MEGABYTE = 2 ** 20;

let platform: TestPlatform;
let warehouse: EmbeddedPostgres;
let folder: TemporaryFolder;
/** Answers `served` to everybody. */
let website: Server;
let served = '';
beforeAll(async () => {
  [warehouse, folder] = await Promise.all([startTestPostgres(), temporaryFolder('data')]);
  website = createServer((_, response) => response.end(served)).listen(0, '127.0.0.1');
  await once(website, 'listening');
  platform = await startTestPlatform({
    OUTGOING_HOSTS: websiteHost(),
    OUTGOING_PRIVATE_ADDRESSES: 'true',
    SOURCE_DATABASES: JSON.stringify({ warehouse: warehouse.url }),
    DUCKDB_MEMORY_LIMIT: '512MB',
  });
  const shop = shopDefinition({ contract: { min_rows: 10, max_duplicate_share: 0.5, extra_columns: 'reject' } });
  await platform.call('PUT', '/api/v1/pipelines/shop', shop);
  const strict = { ...shopDefinition().features, income: { type: 'numeric', nullable: true, max_null_share: 0.05 } };
  await platform.call('PUT', '/api/v1/pipelines/strict', { ...shopDefinition(), name: 'strict', features: strict });
  await fillWarehouse();
});
afterAll(async () => {
  website.close();
  await platform.stop();
  await warehouse.stop();
  await folder.remove();
});

const websiteHost = () => `127.0.0.1:${(website.address() as AddressInfo).port}`;

async function fillWarehouse(): Promise<void> {
  const sql = postgres(warehouse.url, { max: 1 });
  const columns = Object.keys(churn.features);
  await sql.unsafe(`create table subscribers (id serial, churned boolean, ${columns.join(' float8, ')} float8)`);
  const rows = [...churnRows(ROWS, 7)];
  for (let start = 0; start < ROWS; start += 500)
    await sql`insert into subscribers ${sql(rows.slice(start, start + 500))}`;
  await sql.unsafe(
    `create function spy() returns int language sql as 'insert into subscribers (churned) values (true) returning 1'`,
  );
  await sql.end();
}

/** A Parquet file of what a SELECT answers, for example `FROM 'rows.csv'`. */
async function parquet(select: string): Promise<Buffer> {
  const path = join(folder.path, 'table.parquet');
  await withDuckDb({ memoryLimit: '1GB', tempDir: folder.path }, (db) =>
    db.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`),
  );
  return await readFile(path);
}

const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const PARQUET = 'application/vnd.apache.parquet';
const RUNS = { train: '/api/v1/train', preprocess: '/api/v1/data/preprocess', features: '/api/v1/data/build-features' };

async function start(path: string, body: Record<string, unknown>): Promise<string> {
  const answer = await platform.post<{ job_id: string }>(path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.job_id;
}
/** Puts a file where no door is: a stored object. */
async function storedObject(
  key: string,
  content: string | Buffer | Iterable<string>,
  format: 'csv' | 'parquet' | 'ndjson',
) {
  const path = join(platform.home, 'artifacts', key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return { kind: 'object', key, format } satisfies DataSource;
}
const trainOn = (pipeline: string, dataset_version: string) => start(RUNS.train, { pipeline, dataset_version });

/** Nothing but the upload itself is left of a run that failed on its data. */
async function expectNothingLeft(dataset: string | null): Promise<void> {
  const lists = await Promise.all(
    ['models', 'endpoints'].map((noun) => platform.get<{ items: unknown[] }>(`/api/v1/${noun}`)),
  );
  expect(lists.map(({ body }) => body.items)).toEqual([[], []]);
  if (dataset !== null) {
    expect((await platform.get<{ tables: unknown[] }>(`/api/v1/datasets/${dataset}`)).body.tables).toEqual([]);
  }
  for (const folder of ['work', 'api', 'artifacts/incoming']) await expectEmpty(folder);
}
/** What an attempt that was given up has left goes when it ends. */
const expectEmpty = (folder: string) =>
  expect.poll(() => readdir(join(platform.home, folder)), { ...SOON, message: folder }).toEqual([]);

const INSIDES = /\/(tmp|root|home|work|node_modules)\/|\bat \S+ \(|\.ts:\d|read_csv|read_parquet|SELECT /;

/** How a run may tell that its data is bad: a code, one place and rule at least, and nothing of the machine. */
function expectRefused(run: RunView, where: string | RegExp, rule: string): void {
  expect(run, JSON.stringify(run.error)).toMatchObject({
    state: 'FAILED',
    stage: 'make_dataset',
    dataset_version: null,
    model: null,
  });
  expect(['DATA_CONTRACT', 'INVALID']).toContain(run.error!.code);
  expect(run.error!.details).toContainEqual(
    expect.objectContaining({ path: expect.stringMatching(where) as string, rule }),
  );
  expect(run.error!.message.length).toBeLessThan(2000);
  expect(JSON.stringify(run.error)).not.toMatch(INSIDES);
  // One attempt: it would fail again.
  expect(run.stages.map(({ state }) => state)).toEqual(['FAILED', ...Array<string>(5).fill('SKIPPED')]);
}

const rows = shopRows(400);
const change = (index: number, values: ShopRow) => rows.map((row, i) => (i === index ? { ...row, ...values } : row));
const line = (text: string, index: number, edit: (line: string) => string) =>
  text.split('\n').map((old, i) => (i === index ? edit(old) : old)).join('\n'); // prettier-ignore
const without = (column: string) => rows.map(({ [column]: _, ...rest }) => rest);
const wide = rows
  .slice(0, 30)
  .map((row) => ({ ...row, ...Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`extra_${i}`, i])) }));
const latin1 = Buffer.from(csv(change(150, { city: 'Zürich' })), 'latin1');

interface BadFile {
  readonly name: string;
  readonly content: string | Buffer;
  readonly where: string | RegExp;
  readonly rule: string;
  readonly type?: string;
  readonly pipeline?: string;
  /** The rule that its upload breaks already; the run reads it as a stored object. */
  readonly door?: string;
}
const BAD_FILES: BadFile[] = [
  { name: 'header only', content: `${Object.keys(rows[0]!).join(',')}\n`, where: 'file', rule: 'not_empty' },
  { name: 'a row with a value too many', content: line(csv(rows), 17, (old) => `${old},9`), where: /^row 17$/, rule: 'columns' },
  { name: 'a row with a value too few', content: line(csv(rows), 23, (old) => old.replace(/,[^,]*$/, '')), where: /^row 23$/, rule: 'columns' },
  { door: 'utf8', name: 'Latin-1 text', content: latin1, where: /^row 151$/, rule: 'utf8' },
  { door: 'utf8', name: 'UTF-16 text', content: Buffer.from(`\ufeff${csv(rows)}`, 'utf16le'), where: 'file', rule: 'utf8' },
  { name: 'one class only', content: csv(rows.map((row) => ({ ...row, bought: 'yes' }))), where: 'bought', rule: 'two_classes' },
  { name: 'a third class', content: csv(change(60, { bought: 'maybe' })), where: 'bought', rule: 'two_classes' },
  { name: 'a missing column', content: csv(without('income')), where: 'income', rule: 'missing_column' },
  { name: 'no target', content: csv(without('bought')), where: 'bought', rule: 'missing_column' },
  { name: 'text in a number', content: csv(change(40, { age: 'forty' })), where: 'age', rule: 'type' },
  { name: 'a fraction in an integer category', content: csv(change(41, { plan: 1.5 })), where: 'plan', rule: 'type' },
  { name: 'a number in a boolean', content: csv(change(42, { member: 'perhaps' })), where: 'member', rule: 'type' },
  { name: 'above its range', content: csv(change(43, { age: 121 })), where: 'age', rule: 'max' },
  { name: 'below its range', content: csv(change(44, { age: -1 })), where: 'age', rule: 'min' },
  { name: 'beyond float32', content: csv(change(45, { income: '1e39' })), where: 'income', rule: 'finite' },
  { name: 'a category that is not allowed', content: csv(change(46, { plan: 7 })), where: 'plan', rule: 'allowed' },
  { name: 'a null in a column without nulls', content: csv(change(47, { age: null })), where: 'age', rule: 'not_null' },
  { name: 'too many nulls', content: csv(rows), pipeline: 'strict', where: 'income', rule: 'max_null_share' },
  { name: 'too many repeated rows', content: csv([...rows, ...rows, ...rows]), where: 'file', rule: 'max_duplicate_share' },
  { name: 'too few rows', content: csv(rows.slice(0, 9)), where: 'file', rule: 'min_rows' },
  { name: '10,000 columns too many', content: csv(wide), where: 'file', rule: 'max_columns' },
  { name: 'invalid NDJSON', content: line(ndjson(rows), 11, () => '{"age": 3,'), type: NDJSON, where: /^row 12$/, rule: 'ndjson' },
  { name: 'NDJSON that is no object', content: line(ndjson(rows), 12, () => '[1, 2]'), type: NDJSON, where: /^row 13$/, rule: 'ndjson' },
  { door: 'parquet', name: 'a CSV sent as Parquet', content: csv(rows), type: PARQUET, where: 'file', rule: 'parquet' },
]; // prettier-ignore

test('bad data ends each run as FAILED, naming the column or row and the rule; nothing half-made is left', async () => {
  const whole = await parquet(`SELECT * FROM (VALUES ${rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`).join(', ')}) AS t(${Object.keys(rows[0]!).join(', ')})`); // prettier-ignore
  const files: BadFile[] = [
    ...BAD_FILES,
    { door: 'parquet', name: 'truncated Parquet', content: whole.subarray(0, whole.length - 200), type: PARQUET, where: 'file', rule: 'parquet' },
    { door: 'footer_size', name: 'damaged Parquet', content: Buffer.concat([whole.subarray(0, 4), Buffer.alloc(whole.length - 8, 7), whole.subarray(-4)]), type: PARQUET, where: 'file', rule: 'parquet' },
  ]; // prettier-ignore
  const started = [];
  for (const file of files) {
    const uploaded = platform.upload('bad', [file.content], file.type ?? CSV);
    if (file.door) {
      await expect(uploaded, file.name).rejects.toThrow(new RegExp(`422.*"body".*"${file.door}"`));
      const source = await storedObject(
        `inbox/${started.length}`,
        file.content,
        file.type === PARQUET ? 'parquet' : 'csv',
      );
      started.push({ file, dataset: null, id: await start(RUNS.train, { pipeline: 'shop', source }) });
      continue;
    }
    const dataset = await uploaded;
    started.push({ file, dataset, id: await trainOn(file.pipeline ?? 'shop', dataset) });
  }
  for (const { file, dataset, id } of started) {
    const run = await platform.finished(id);
    try {
      expectRefused(run, file.where, file.rule);
    } catch (cause) {
      throw new Error(`${file.name}: ${JSON.stringify(run.error)} ${run.state}`, { cause });
    }
    if (dataset === null) continue;
    const { body } = await platform.get<{ tables: unknown[] }>(`/api/v1/datasets/${dataset}`);
    expect(body.tables, file.name).toEqual([]);
  }
  await expectNothingLeft(null);
});

const literal = (value: ShopRow[string]) =>
  value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value);

test('an empty file is refused at the door, and an empty stored object ends its run', async () => {
  await expect(platform.upload('empty', [''])).rejects.toThrow(/422.*not_empty/);
  const empty = await storedObject('inbox/empty.csv', '', 'csv');
  const id = await start(RUNS.train, { pipeline: 'shop', source: empty });
  expectRefused(await platform.finished(id), 'file', 'not_empty');
  const absent = await platform.finished(
    await start(RUNS.train, { pipeline: 'shop', source: { ...empty, key: 'inbox/absent.csv' } }),
  );
  expect(absent).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } });
  expect(absent.error!.message).toContain('inbox/absent.csv');
  expect(JSON.stringify(absent.error)).not.toContain(platform.home);
  await expectNothingLeft(null);
});

/** Resident memory of a process in MB. */
async function residentMb(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1024;
}

async function peakMb<T>(names: readonly string[], work: Promise<T>): Promise<Record<string, number>> {
  const pids = platform.pids();
  const first = await Promise.all(names.map((name) => residentMb(pids[name]!)));
  const peak = [...first];
  let over = false;
  const done = work.finally(() => (over = true));
  while (!over) {
    for (const [index, name] of names.entries()) peak[index] = Math.max(peak[index]!, await residentMb(pids[name]!));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await done;
  return Object.fromEntries(names.map((name, index) => [name, Math.round(peak[index]! - first[index]!)]));
}

test.each([
  ['CSV', 'csv', CSV, `${Object.keys(rows[0]!).join(',')}\n30,1000,`, ',1,true,yes\n'],
  ['NDJSON', 'ndjson', NDJSON, '{"age":30,"income":1000,"city":"', '","plan":1,"member":true,"bought":"yes"}\n'],
] as const)(
  'a cell of 100 MB in %s is refused at the door and by its row, with little memory',
  async (_, format, type, before, after) => {
    const cell = 'x'.repeat(MEGABYTE);
    const content = function* () {
      yield before;
      for (let i = 0; i < 100; i++) yield cell;
      yield after;
    };
    const api = await peakMb(
      ['api'],
      expect(platform.upload('huge-cell', content(), type)).rejects.toThrow(/422.*"body".*"line_size"/),
    );
    expect(api['api']).toBeLessThan(80);
    const source = await storedObject('inbox/huge-cell', content(), format);
    let id = '';
    const worker = await peakMb(
      ['worker-pipeline'],
      (async () => {
        id = await start(RUNS.train, { pipeline: 'shop', source });
        await platform.finished(id);
      })(),
    );
    expectRefused(await platform.run(id), /^row 1$/, 'row_size');
    expect(worker['worker-pipeline']).toBeLessThan(200);
    await expectNothingLeft(null);
  },
);

test('a cell of 100 MB in Parquet does not become a category', async () => {
  const content = await parquet(
    `SELECT i % 90 AS age, i * 1.5 AS income, CASE i WHEN 7 THEN repeat('x', 104857600) ELSE 'Bern' END AS city, 1 AS plan,
      i % 2 = 0 AS member, CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END AS bought FROM range(400) AS t(i)`,
  );
  const id = await trainOn('shop', await platform.upload('huge-parquet', [content], PARQUET));
  const run = await platform.finished(id);
  expectRefused(run, /^city$/, 'cell_size');
  await expectNothingLeft(null);
});

test('the same rows as CSV, NDJSON, Parquet, stored object and URL train the same model; the same content is the same version', async () => {
  const lines = [...sampleCsv('churn', ROWS, 7)];
  await writeFile(join(folder.path, 'churn.csv'), lines.join(''));
  const table = await parquet(`SELECT * FROM read_csv('${join(folder.path, 'churn.csv')}')`);
  const datasets = [
    await platform.upload('churn', lines),
    await platform.upload('churn', sampleNdjson('churn', ROWS, 7), NDJSON),
    await platform.upload('churn', [table], PARQUET),
  ];
  expect(await platform.upload('churn', lines)).toBe(datasets[0]);
  expect(new Set(datasets).size).toBe(3);
  const stored = await storedObject('inbox/churn.csv', lines.join(''), 'csv');
  served = lines.join('');
  const url = { kind: 'url', url: `http://${websiteHost()}/churn.csv`, format: 'csv' } satisfies DataSource;

  const overrides = { candidates: [{ algorithm: 'logistic_regression' }], promotion: 'manual' };
  const sources = [...datasets.map((dataset_version) => ({ dataset_version })), { source: stored }, { source: url }];
  const ids = await Promise.all(
    sources.map((source) => start(RUNS.train, { pipeline: 'churn', ...source, overrides })),
  );
  const finished = await Promise.all(ids.map(platform.finished));
  expect(finished.map(({ state, error }) => error?.message ?? state)).toEqual(Array(5).fill('COMPLETED'));
  for (const { metrics } of finished) expect(metrics).toEqual(finished[0]!.metrics);
  // The stored object and the URL have the content of the first upload.
  expect(finished.map(({ dataset_version }) => dataset_version)).toEqual([...datasets, datasets[0], datasets[0]]);
  const { body } = await platform.get<{ tables: { rows: number; profile: { columns: object } }[] }>(`/api/v1/datasets/${datasets[0]!}`); // prettier-ignore
  expect(body.tables).toMatchObject([{ rows: ROWS, profile: { columns: { usage_frequency: { count: expect.any(Number) as number, nulls: expect.any(Number) as number } } } }]); // prettier-ignore
  const { columns } = body.tables[0]!.profile;
  expect(Object.keys(columns).sort()).toEqual([...Object.keys(churn.features), 'churned'].sort());
  expect(columns).toHaveProperty('account_age.quantiles.50');
  expect(columns).toHaveProperty('account_age.histogram.counts');
  expect(columns).toHaveProperty('churned.top');
});

const COLUMNS = [...Object.keys(churn.features), 'churned'].join(', ');
const query = (text: string): DataSource => ({ kind: 'sql', connection: 'warehouse', query: text });

test('a URL that nobody allowed is refused at the door; one that answers nonsense ends its run', async () => {
  const evil = { kind: 'url', url: 'http://127.0.0.1:1/', format: 'csv' };
  const refused = await platform.post<{ errors: unknown }>(RUNS.train, { pipeline: 'churn', source: evil });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'source.url', rule: 'allowed' }] } });
  served = '%PDF-1.7';
  const source = { ...evil, url: `http://${websiteHost()}/` };
  expectRefused(
    await platform.finished(await start(RUNS.train, { pipeline: 'churn', source })),
    'source.url',
    'plain_text',
  );
});

test('a SQL query is a source; one that writes, is broken or names an unknown connection is refused', async () => {
  const source = query(`select ${COLUMNS} from subscribers order by id`);
  const overrides = { candidates: [{ algorithm: 'logistic_regression' }], promotion: 'manual' };
  const saved = await platform.call('PUT', '/api/v1/pipelines/warehouse-churn', { ...churn, name: 'warehouse-churn', source }); // prettier-ignore
  expect(saved.status).toBe(201);
  const run = await platform.finished(await start(RUNS.train, { pipeline: 'warehouse-churn', overrides }));
  expect(run.error?.message ?? run.state).toBe('COMPLETED');
  const { body } = await platform.get<{ name: string; tables: { rows: number }[] }>(`/api/v1/datasets/${run.dataset_version!}`); // prettier-ignore
  expect(body).toMatchObject({ name: 'warehouse-churn', tables: [{ rows: ROWS }] });

  const elsewhere = { ...source, connection: 'elsewhere' };
  expect(await platform.post(RUNS.train, { pipeline: 'churn', source: elsewhere })).toMatchObject({
    status: 422,
    body: { code: 'INVALID', errors: [{ path: 'source.connection' }] },
  });

  const refused: [string, RegExp][] = [
    [`insert into subscribers (churned) values (true) returning ${COLUMNS}`, /syntax error/],
    [
      `with added as (insert into subscribers (churned) values (true) returning *) select ${COLUMNS} from added`,
      /WITH/,
    ],
    [`select ${COLUMNS}, spy() from subscribers`, /read-only transaction/],
    ['select nothing from nowhere', /"nowhere" does not exist/],
    ['select 1) as source) to stdout; drop table subscribers; --', /syntax error|cannot insert multiple commands/],
  ];
  const ids = await Promise.all(refused.map(([text]) => start(RUNS.train, { pipeline: 'churn', source: query(text) })));
  for (const [index, id] of ids.entries()) {
    const failed = await platform.finished(id);
    expect(failed).toMatchObject({ state: 'FAILED', error: { code: 'INVALID', details: [{ path: 'source.query', rule: 'sql' }] } }); // prettier-ignore
    expect(failed.error!.message).toMatch(refused[index]![1]);
    expect(JSON.stringify(failed.error)).not.toMatch(/127\.0\.0\.1|postgres(ql)?:\/\//);
  }
  const sql = postgres(warehouse.url, { max: 1 });
  const [left] = await sql`select count(*)::int as rows from subscribers`;
  await sql.end();
  expect(left).toEqual({ rows: ROWS });
  await expectEmpty('work');
});

interface JobPage {
  readonly items: (RunView & { readonly kind: string })[];
  readonly next_cursor: string | null;
}

test('preprocessing and building features are jobs of their own, with status and a paginated list', async () => {
  const dataset_version = await platform.upload('churn', sampleCsv('churn', ROWS, 8));
  const request = { pipeline: 'churn', dataset_version };
  const ids = [
    await start(RUNS.preprocess, request),
    await start(RUNS.preprocess, { ...request, run_id: 'preprocess-again' }),
    await start(RUNS.features, request),
  ];
  const finished = await Promise.all(ids.map(platform.finished));
  expect(finished.map(({ kind, state, progress }) => [kind, state, progress])).toEqual([
    ['preprocess_data', 'COMPLETED', 100],
    ['preprocess_data', 'COMPLETED', 100],
    ['build_features', 'COMPLETED', 100],
  ]);
  expect(finished[0]!.stages.map(({ name, state }) => [name, state])).toEqual([['make_dataset', 'COMPLETED']]);
  expect(finished[2]!.stages.map(({ name }) => name)).toEqual(['make_dataset', 'preprocessing']);
  const { train, validation, test: held } = finished[2]!.rows!;
  expect(train + validation + held).toBe(ROWS);

  for (const id of ids) {
    // While a worker is slow to answer it comes from the projection.
    const status = async () => (await platform.get<RunView>(`/api/v1/data/status/${id}`)).body;
    await expect.poll(status, SOON).toMatchObject({ job_id: id, state: 'COMPLETED' });
  }
  const listed: string[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null && pages < 5; pages++) {
    const page: JobPage = (await platform.get<JobPage>(`/api/v1/data/jobs?limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)).body; // prettier-ignore
    expect(page.items).toHaveLength(1);
    listed.push(...page.items.map(({ job_id }) => job_id));
    cursor = page.next_cursor;
  }
  expect(listed.sort()).toEqual([...ids].sort());
  const bad = await platform.upload('bad', [csv(without('age'))]);
  const failed = await platform.finished(await start(RUNS.preprocess, { pipeline: 'shop', dataset_version: bad }));
  expect(failed).toMatchObject({ kind: 'preprocess_data', state: 'FAILED', error: { code: 'DATA_CONTRACT' } });
  // The list is a projection, a moment behind the workflow.
  const failedJobs = async () =>
    (await platform.get<JobPage>('/api/v1/data/jobs?state=FAILED')).body.items.map(({ job_id }) => job_id);
  await expect.poll(failedJobs, SOON).toEqual([failed.job_id]);
  expect((await platform.get('/api/v1/data/status/absent')).status).toBe(404);
  // Each check has a second.
  const health = async () => (await platform.get('/api/v1/data/health')).body;
  await expect.poll(health, SOON).toEqual({ status: 'ready', failing: [] });
});
