import journal from '../../db/migrations/meta/_journal.json' with { type: 'json' };
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createDatasetRepository } from '../../db/datasets.ts';
import { createIdempotencyKeyRepository } from '../../db/idempotency-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import type { Page } from '../../db/pagination.ts';
import { createPipelineRepository } from '../../db/pipelines.ts';
import { createRunRepository } from '../../db/runs.ts';
import { exampleDefinition, exampleImport, exampleStatus, exampleVersion } from './examples.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let connection: Connection;
beforeAll(async () => {
  database = await startTestPostgres();
  await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
  connection = connect(database.url);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

const repositories = () => ({
  pipelines: createPipelineRepository(connection.db),
  datasets: createDatasetRepository(connection.db),
  models: createModelRepository(connection.db),
  runs: createRunRepository(connection.db),
  keys: createIdempotencyKeyRepository(connection.db),
});

/** Reads a whole list page by page. */
async function pages<Row>(
  list: (request: { limit: number; cursor?: string | undefined }) => Promise<Page<Row>>,
  limit = 2,
) {
  const read: Row[][] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit, cursor });
    read.push(page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return read;
}
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

test('processes that migrate at the same time apply each migration once', async () => {
  const applied = await connection.db.execute(sql`select * from drizzle.__drizzle_migrations`);
  expect(applied).toHaveLength(journal.entries.length);
  await migrate(database.url);
});

test('an unchanged pipeline definition makes no new version and a changed one does', async () => {
  const { pipelines } = repositories();
  const save = (sha256: string) =>
    pipelines.saveVersion({ definition: exampleDefinition('plain'), definitionSha256: sha256, createdBy: 'ada' });
  expect(await save('1')).toEqual({ name: 'plain', version: 1, created: true });
  expect(await save('1')).toEqual({ name: 'plain', version: 1, created: false });
  expect(await save('2')).toEqual({ name: 'plain', version: 2, created: true });
  expect(await save('1')).toEqual({ name: 'plain', version: 3, created: true });
  expect(await pipelines.get('plain')).toMatchObject({ version: 3, createdBy: 'ada', definition: { name: 'plain' } });
  expect(await pipelines.get('plain', 2)).toMatchObject({ version: 2, definitionSha256: '2' });
});

test('concurrent saves of a pipeline get distinct versions without gaps', async () => {
  const { pipelines } = repositories();
  const saved = await Promise.all(
    times(8, (i) =>
      pipelines.saveVersion({
        definition: exampleDefinition('busy', `${i}`),
        definitionSha256: `${i}`,
        createdBy: 'ada',
      }),
    ),
  );
  expect(saved.map((s) => s.version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const versions = (await pages((request) => pipelines.listVersions('busy', request), 3)).flat();
  expect(versions.map((v) => v.version)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
});

test('unknown pipelines and versions are NOT_FOUND', async () => {
  const { pipelines } = repositories();
  await expect(pipelines.get('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(pipelines.get('plain', 99)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(pipelines.listVersions('nobody', { limit: 2 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('the same content is the same dataset version, and its id says when and what', async () => {
  const { datasets } = repositories();
  const content = {
    datasetName: 'churn',
    sha256: '0123456789abcdef',
    bytes: 10,
    format: 'csv',
    createdBy: 'ada',
  } as const;
  const first = await datasets.recordVersion({ ...content, now: new Date('2026-02-03T04:05:06.789Z') });
  expect(first.id).toBe('ds_20260203T040506Z_0123456789ab');
  const again = await datasets.recordVersion({ ...content, createdBy: 'bob', now: new Date('2026-05-05T00:00:00Z') });
  expect(again).toEqual(first);
  expect(await datasets.getVersion(first.id)).toEqual(first);
  const otherName = await datasets.recordVersion({
    ...content,
    datasetName: 'other',
    now: new Date('2026-02-03T04:05:06Z'),
  });
  expect(otherName.id).toBe('ds_20260203T040507Z_0123456789ab');
  const otherFormat = await datasets.recordVersion({ ...content, format: 'ndjson', now: first.createdAt });
  expect(otherFormat).toMatchObject({ id: 'ds_20260203T040508Z_0123456789ab', format: 'ndjson' });
  await expect(datasets.getVersion('ds_none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a dataset table is recorded once per definition', async () => {
  const { datasets } = repositories();
  const content = { datasetName: 'tables', sha256: 'f'.repeat(64), bytes: 1, format: 'csv', createdBy: 'ada' } as const;
  const { id } = await datasets.recordVersion(content);
  const table = {
    datasetVersionId: id,
    definitionSha256: 'd1',
    parquetSha256: 'p1',
    rows: 3,
    profile: { columns: [] },
  };
  const first = await datasets.recordTable(table);
  expect(await datasets.recordTable({ ...table, parquetSha256: 'p2' })).toEqual(first);
  expect(await datasets.getTable(id, 'd1')).toMatchObject({ parquetSha256: 'p1', profile: { columns: [] } });
  expect(await datasets.listTables(id)).toHaveLength(1);
  await expect(datasets.getTable(id, 'd2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a projection never goes back to an older sequence nor out of a final state', async () => {
  const { runs } = repositories();
  const project = (sequence: number, change: Parameters<typeof exampleStatus>[1]) =>
    runs.project({ status: exampleStatus('projected', change), sequence });
  expect(await project(5, { progress: 50 })).toBe(true);
  expect(await project(4, { progress: 40 })).toBe(false);
  expect(await project(5, { progress: 51 })).toBe(false);
  expect((await runs.get('projected')).status.progress).toBe(50);
  expect(await project(6, { state: 'COMPLETED', progress: 100 })).toBe(true);
  expect(await project(7, { state: 'RUNNING' })).toBe(false);
  expect(await runs.get('projected')).toMatchObject({ state: 'COMPLETED', sequence: 6 });
  await expect(runs.get('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('runs page newest first, stay in place while new ones start, and filter by kind, pipeline and state', async () => {
  const { runs } = repositories();
  const start = (id: string, second: number, change: Parameters<typeof exampleStatus>[1] = {}) =>
    runs.project({
      status: exampleStatus(id, {
        pipeline: { name: 'paged', version: 1 },
        started_at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
        ...change,
      }),
      sequence: 1,
    });
  await Promise.all([
    start('p1', 1),
    start('p2', 2),
    start('p3', 2),
    start('p4', 3, { state: 'FAILED' }),
    start('p5', 4, { kind: 'build_features' }),
  ]);
  const first = await runs.list({ pipeline: 'paged', limit: 2 });
  await start('p6', 9);
  const second = await runs.list({ pipeline: 'paged', limit: 2, cursor: first.nextCursor! });
  const third = await runs.list({ pipeline: 'paged', limit: 2, cursor: second.nextCursor! });
  expect([first, second, third].map((page) => page.items.map((run) => run.id))).toEqual([
    ['p5', 'p4'],
    ['p3', 'p2'],
    ['p1'],
  ]);
  expect(third.nextCursor).toBeNull();
  const failed = await runs.list({ pipeline: 'paged', state: 'FAILED', limit: 9 });
  expect(failed.items.map((run) => run.id)).toEqual(['p4']);
  const built = await runs.list({ pipeline: 'paged', kinds: ['build_features', 'preprocess_data'], limit: 9 });
  expect(built.items.map((run) => run.id)).toEqual(['p5']);
});

test('a cursor that the list did not answer is NOT_FOUND and names the cursor', async () => {
  const { runs, models } = repositories();
  const badCursors = [
    'rubbish',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["x","y"]').toString('base64url'),
  ];
  for (const cursor of badCursors) {
    await expect(runs.list({ limit: 2, cursor })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: [{ path: 'cursor' }],
    });
  }
  const nul = Buffer.from('["\\u0000"]').toString('base64url');
  await expect(models.list({ limit: 2, cursor: nul })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('registering is idempotent by run, and concurrent versions are numbered without gaps', async () => {
  const { models } = repositories();
  const registered = await Promise.all(
    times(8, (i) => models.registerVersion(exampleVersion('numbered', `numbered-${i}`))),
  );
  expect(registered.map((r) => r.version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const again = await Promise.all(times(8, (i) => models.registerVersion(exampleVersion('numbered', `numbered-${i}`))));
  expect(again.map((r) => r.version)).toEqual(registered.map((r) => r.version));
  expect(again.every((r) => !r.created)).toBe(true);
  await expect(models.registerVersion(exampleVersion('another', 'numbered-0'))).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  const versions = (await pages((request) => models.listVersions('numbered', request), 5)).flat();
  expect(versions.map((v) => v.version)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
});

test('a file brought again, also at the same time, is the version it is; another model makes its own of it', async () => {
  const { models } = repositories();
  await models.registerVersion({ ...exampleVersion('mixed', 'mixed-1'), onnxSha256: '1'.repeat(64) });
  const brought = exampleImport('mixed', '2'.repeat(64));
  const made = await Promise.all(times(5, () => models.importVersion(brought)));
  expect(made.map(({ version }) => version)).toEqual([2, 2, 2, 2, 2]);
  expect(made.filter(({ created }) => created)).toHaveLength(1);
  expect(await models.importVersion(exampleImport('mixed', '1'.repeat(64)))).toMatchObject({
    version: 1,
    created: false,
  });
  expect(await models.importVersion({ ...brought, modelName: 'mixed-too' })).toMatchObject({
    version: 1,
    created: true,
  });
  expect(await models.getVersion('mixed', 2)).toMatchObject({ runId: null, importedBy: 'sara', gatesPassed: null });
  expect(await models.versionOfFile('mixed', '3'.repeat(64))).toBeNull();
});

test('an alias moves by compare-and-set; a repeat by the same run changes nothing', async () => {
  const { models } = repositories();
  for (const run of ['a', 'b', 'c']) await models.registerVersion(exampleVersion('moving', `moving-${run}`));
  const move = (from: number | null, to: number, runId: string) =>
    models.moveAlias({ modelName: 'moving', alias: 'production', from, to, runId });
  expect(await move(null, 1, 'moving-a')).toEqual({ moved: true });
  expect(await move(null, 1, 'moving-a')).toEqual({ moved: false });
  await expect(move(null, 2, 'moving-b')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('points to 1') as string,
  });
  const race = await Promise.allSettled([move(1, 2, 'moving-b'), move(1, 3, 'moving-c')]);
  expect(race.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
  const version = await models.versionOf('moving', 'production');
  expect(await models.aliases('moving')).toMatchObject([{ alias: 'production', version }]);
  expect(await move(null, 1, 'moving-a')).toEqual({ moved: false });
  expect((await models.getByAlias('moving', 'production')).version).toBe(version);
  await expect(move(version, 99, 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const moves = await connection.db.execute(sql`select * from alias_moves where model_name = 'moving'`);
  expect(moves).toHaveLength(2);
});

test('model URIs resolve by alias and by version, and other forms are INVALID', async () => {
  const { models } = repositories();
  await models.registerVersion(exampleVersion('resolved', 'resolved-1'));
  await models.moveAlias({ modelName: 'resolved', alias: 'production', from: null, to: 1, runId: null });
  expect(await models.resolve('models:/resolved@production')).toMatchObject({ modelName: 'resolved', version: 1 });
  expect(await models.resolve('models:/resolved/1')).toMatchObject({
    runId: 'resolved-1',
    signature: { threshold: 0.5 },
  });
  for (const missing of ['models:/resolved/2', 'models:/resolved@challenger', 'models:/nobody@production']) {
    await expect(models.resolve(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  for (const wrong of ['resolved', 'models:/resolved', 'models:/resolved/0', 'models:/resolved/99999999999']) {
    await expect(models.resolve(wrong)).rejects.toMatchObject({ code: 'INVALID' });
  }
});

test('the best version is the highest or the lowest by a metric, and the newest among equals', async () => {
  const { models } = repositories();
  await models.registerVersion(exampleVersion('ranked', 'ranked-1', { roc_auc: 0.9 }));
  await models.registerVersion(exampleVersion('ranked', 'ranked-2', { roc_auc: 0.7 }));
  await models.registerVersion(exampleVersion('ranked', 'ranked-3', { roc_auc: 0.9 }));
  expect((await models.best('ranked', 'roc_auc', 'max')).version).toBe(3);
  expect((await models.best('ranked', 'roc_auc', 'min')).version).toBe(2);
  await expect(models.best('ranked', 'brier', 'min')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(models.best('nobody', 'roc_auc', 'max')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('models list by name with their latest version; versions list by algorithm', async () => {
  const { models } = repositories();
  await models.registerVersion({ ...exampleVersion('alone', 'alone-1'), algorithm: 'logistic_regression' });
  await models.registerVersion({ ...exampleVersion('alone', 'alone-2'), algorithm: 'logistic_regression' });
  const names = (await pages((request) => models.list(request))).flat();
  expect(names.map((m) => m.name)).toEqual([...names.map((m) => m.name)].sort());
  expect(names.find((m) => m.name === 'alone')).toMatchObject({ latestVersion: 2 });
  expect(await models.get('alone')).toMatchObject({ name: 'alone', latestVersion: 2 });
  await expect(models.get('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const linear = (await pages((request) => models.byAlgorithm('logistic_regression', request), 1)).flat();
  expect(linear.map((v) => v.runId)).toEqual(['alone-2', 'alone-1']);
});

test('of concurrent requests with one idempotency key one is claimed, and repeats get its answer', async () => {
  const { keys } = repositories();
  const claim = { route: 'POST /train', key: 'k1', bodySha256: 'b1', now: new Date() };
  const claims = await Promise.all(times(5, () => keys.claim(claim)));
  expect(claims.map((c) => c.state).sort()).toEqual(['claimed', 'in_flight', 'in_flight', 'in_flight', 'in_flight']);
  await keys.answer(claim, { status: 202, body: { job_id: 'j1' } });
  expect(await keys.claim(claim)).toEqual({ state: 'answered', status: 202, body: { job_id: 'j1' } });
  expect(await keys.claim({ ...claim, bodySha256: 'b2' })).toEqual({ state: 'other_body' });
  expect(await keys.claim({ ...claim, route: 'POST /other' })).toEqual({ state: 'claimed' });
});

test('a released or abandoned idempotency key can be claimed again', async () => {
  const { keys } = repositories();
  const claim = { route: 'POST /train', key: 'k2', bodySha256: 'b1', now: new Date('2026-01-01T00:00:00Z') };
  await keys.claim(claim);
  await keys.release(claim);
  expect(await keys.claim(claim)).toEqual({ state: 'claimed' });
  expect(await keys.claim({ ...claim, now: new Date('2026-01-01T00:04:00Z') })).toEqual({ state: 'in_flight' });
  expect(await keys.claim({ ...claim, now: new Date('2026-01-01T00:06:00Z') })).toEqual({ state: 'claimed' });
  await keys.answer(claim, { status: 202, body: {} });
  await keys.release(claim);
  expect(await keys.claim(claim)).toMatchObject({ state: 'answered' });
  await keys.prune(new Date('2026-02-01T00:00:00Z'));
  expect(await keys.claim(claim)).toEqual({ state: 'claimed' });
});
