import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createPredictionRepository, type PredictionFilter, type PredictionRepository } from '../../db/predictions.ts';
import { createRunRepository } from '../../db/runs.ts';
import type { RawRow } from '../../ml/signature.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { singleLines } from '../../serving/prediction-log/batch-line.ts';
import { startTestPostgres } from '../platform.ts';
import { exampleBatch, exampleLine, exampleRecord, lineOf } from '../serving/prediction-log/examples.ts';
import { exampleStatus, exampleVersion } from './examples.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let repository: PredictionRepository;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  repository = createPredictionRepository(connection.db);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(() => connection.db.execute(sql`truncate predictions`));

const count = async () => (await connection.sql<[{ n: number }]>`select count(*)::int as n from predictions`)[0].n;
const partitions = async () =>
  (
    await connection.sql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'predictions'::regclass order by 1`
  ).map(({ name }) => name);
const at = (time: string) => predictionId(Date.parse(time));
const records = (n: number, time = '2026-11-21T12:00:00Z') => Array.from({ length: n }, () => ({ id: at(time) }));

test('a record comes back as it was, its time read from its id to the millisecond', async () => {
  const record = exampleRecord({
    id: at('2026-11-21T23:59:59.999Z'),
    features: { age: 1e308, small: 5e-324, contract: 'Zoë\u2028"\\ 🎉', paperless: false, tenure: null },
    trace_id: 'a'.repeat(32),
    latency_us: 0x7fffffff,
  });
  await repository.insert(lineOf(record));
  const { prediction } = await repository.get(record.id);
  const { latency_us: latencyUs, trace_id: traceId, request_id: requestId, ...rest } = record;
  const createdAt = new Date('2026-11-21T23:59:59.999Z');
  expect(prediction).toEqual({
    ...rest,
    latencyUs,
    traceId,
    requestId,
    position: expect.any(Number) as number,
    createdAt,
    entity: null,
  });
  expect(await partitions()).toContain('predictions_20261121');
});

test('a line of several predictions is in the table as the same predictions one by one', async () => {
  const ids = [at('2026-11-21T23:59:59.999Z'), at('2026-11-22T00:00:00Z'), at('2026-11-22T00:00:01Z')];
  const features: RawRow[] = [
    { age: 1e308, small: 5e-324, contract: 'Zoë\u2028"\\ 🎉 \ud800', paperless: false, tenure: null },
    { age: 0.12300000339746475 },
    {},
  ];
  const line = lineOf(exampleBatch({ ids, features, trace_id: 'a'.repeat(32) }));
  const stored = async () =>
    await connection.sql<
      { label: string; decision: string }[]
    >`select id, created_at, endpoint, revision, model, version, features,
      probability, label, decision, latency_us, trace_id, request_id, caller from predictions order by id`;
  await repository.insert(exampleLine() + line + exampleLine());
  await repository.insert(line);
  expect(await count()).toBe(5);
  await connection.sql`delete from predictions where id not in ${connection.sql(ids)}`;
  const together = await stored();
  await connection.sql`truncate predictions`;
  await repository.insert(singleLines(line).join(''));
  expect([...together]).toEqual([...(await stored())]);
  expect(together.map(({ label, decision }) => [label, decision] as unknown)).toEqual([['no', 'ACCEPT'], ['yes', 'REJECT'], ['no', 'ACCEPT']]); // prettier-ignore
  expect(await partitions()).toContain('predictions_20261122');
});

test('what is inserted again stays as it is, from several processes at once too', async () => {
  const others = [connect(database.url), connect(database.url)];
  const insert = [connection, ...others].map(({ db }) => createPredictionRepository(db).insert);
  const lines = records(300, '2025-03-01T00:00:00Z').map(exampleLine).join('');
  const later = records(300, '2025-03-02T00:00:00Z').map(exampleLine).join('');
  // Those that meet in another order may each wait for the other: Postgres ends one, and who ships sends it again.
  await Promise.all(
    [...insert, ...insert].map((each, index) => {
      const sent = index % 2 ? lines + later : later + lines;
      return vi.waitFor(() => each(sent), { timeout: 60_000, interval: 10 });
    }),
  );
  expect(await count()).toBe(600);
  expect(await partitions()).toEqual(expect.arrayContaining(['predictions_20250301', 'predictions_20250302']));
  await Promise.all(others.map(({ close }) => close()));
});

test('a lookup by id touches one partition, a page of a list those that can hold it', async () => {
  const ids = ['01', '02', '03'].map((day) => at(`2026-11-${day}T08:00:00Z`));
  await repository.insert(ids.map((id) => exampleLine({ id })).join(''));
  const touched = (work: (repository: PredictionRepository) => Promise<unknown>) =>
    connection.db.transaction(async (tx) => {
      await work(createPredictionRepository(tx));
      const locked = await tx.execute<{ name: string }>(
        sql`select relname as name from pg_locks join pg_class on pg_class.oid = relation
          where pid = pg_backend_pid() and relname ~ '^predictions_\\d{8}$' order by 1`,
      );
      return locked.map(({ name }) => name);
    });
  expect(await touched(({ get }) => get(ids[1]!))).toEqual(['predictions_20261102']);
  const [since, until] = [new Date('2026-11-02T00:00:00Z'), new Date('2026-11-03T00:00:00Z')];
  expect(await touched(({ list }) => list({ since, until, limit: 9 }))).toEqual(['predictions_20261102']);
  const cursor = Buffer.from(JSON.stringify([ids[1]])).toString('base64url');
  const older = await touched(({ list }) => list({ cursor, limit: 9 }));
  expect(older).toContain('predictions_20261101');
  expect(older).not.toContain('predictions_20261103');
});

test('what Postgres text cannot hold is replaced by the sign for it, in names too', async () => {
  const id = predictionId();
  const features = { ['na\0me']: 'half \ud800 a character', fine: 'a\\u0000b', list: '\u{1f389}' };
  await repository.insert(lineOf(exampleRecord({ id, features, request_id: 'nul \0' })));
  const { prediction } = await repository.get(id);
  expect(prediction.features).toEqual({
    'na\u{fffd}me': 'half \u{fffd} a character',
    fine: 'a\\u0000b',
    list: '\u{1f389}',
  });
  expect(prediction.requestId).toBe('nul \u{fffd}');
});

test.each([
  ['no JSON', '{"id":\n'],
  ['an id that is none', lineOf({ ...exampleRecord(), id: 'abc' })],
  ['a missing field', lineOf({ ...exampleRecord(), model: undefined })],
  ['a number out of range', lineOf({ ...exampleRecord(), version: 2 ** 40 })],
  ['more ids than probabilities', lineOf(exampleBatch({ probabilities: [0.5] }))],
  ['fewer ids than features', lineOf(exampleBatch({ ids: [predictionId()] }))],
  ['several predictions without a model', lineOf({ ...exampleBatch(), model: undefined })],
  ['zeros, as a power cut leaves them', '\0\0\0\0\n'],
])('a line with %s is INVALID, says nothing of what it holds, and nothing beside it is stored', async (_, bad) => {
  const failed = repository.insert(exampleLine() + bad);
  await expect(failed).rejects.toMatchObject({ code: 'INVALID' });
  await expect(failed).rejects.toThrow(/^predictions cannot be stored \(SQLSTATE 2\w{4}\)$/);
  expect(await count()).toBe(0);
});

test('without a server it is UNAVAILABLE', async () => {
  const nowhere = connect('postgres://user:secret@127.0.0.1:1/none');
  const failed = createPredictionRepository(nowhere.db).insert(exampleLine());
  await expect(failed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await nowhere.close();
});

test('lists are newest first, filtered, and pages neither repeat nor skip', async () => {
  const times = ['2026-11-01T10:00:00Z', '2026-11-02T10:00:00Z', '2026-11-02T10:00:00Z', '2026-11-02T10:00:00Z', '2026-11-03T10:00:00Z']; // prettier-ignore
  const ids = times.map(at);
  const versions = [1, 1, 2, 2, 2];
  await repository.insert(ids.map((id, i) => exampleLine({ id, version: versions[i]! })).join(''));
  await repository.insert(exampleLine({ id: at('2026-11-02T12:00:00Z'), endpoint: null, revision: null, model: 'pinned' })); // prettier-ignore
  const newestFirst = [...ids].sort().reverse();
  const read = async (filter: Omit<PredictionFilter, 'limit'>) => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await repository.list({ ...filter, limit: 2, cursor });
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return found;
  };
  expect(await read({ endpoint: 'churn' })).toEqual(newestFirst);
  expect(await read({ model: 'churn', version: 1 })).toEqual([ids[1], ids[0]]);
  expect(await read({ model: 'pinned' })).toHaveLength(1);
  const [since, until] = [new Date('2026-11-02T00:00:00Z'), new Date('2026-11-03T10:00:00Z')];
  expect(await read({ endpoint: 'churn', since, until })).toEqual(newestFirst.slice(1, 4));
  expect(await read({ endpoint: 'nobody' })).toEqual([]);
  for (const cursor of ['x', Buffer.from('["abc"]').toString('base64url')])
    await expect(repository.list({ limit: 2, cursor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const far = Buffer.from('["ffffffff-ffff-7fff-bfff-ffffffffffff"]').toString('base64url');
  expect((await repository.list({ limit: 9, cursor: far })).items).toHaveLength(6);
});

test('retention drops the days that are over, and later a spool may still bring some of them', async () => {
  const days = ['2026-08-01', '2026-08-02', '2026-08-03'];
  for (const day of days) await repository.insert(exampleLine({ id: at(`${day}T23:59:59.999Z`) }));
  const dropped = await repository.dropBefore(new Date('2026-08-03T00:00:00Z'));
  expect(dropped).toEqual(expect.arrayContaining(['predictions_20260801', 'predictions_20260802']));
  expect(dropped).not.toContain('predictions_20260803');
  expect(await count()).toBe(1);
  expect(await repository.dropBefore(new Date('2026-08-03T00:00:00Z'))).toEqual([]);
  await repository.insert(exampleLine({ id: at('2026-08-01T00:00:00Z') }));
  expect(await count()).toBe(2);
});

test('making a partition does not wait for who reads, and dropping gives up rather than hold everybody up', async () => {
  await repository.insert(exampleLine({ id: at('2026-07-01T00:00:00Z') }));
  await connection.sql.begin(async (reader) => {
    await reader`select count(*) from predictions`;
    await repository.insert(exampleLine({ id: at('2026-07-02T00:00:00Z') }));
    await expect(repository.dropBefore(new Date('2026-07-02T00:00:00Z'))).rejects.toThrow();
    await repository.insert(exampleLine({ id: at('2026-07-01T01:00:00Z') }));
  });
  expect(await repository.dropBefore(new Date('2026-07-02T00:00:00Z'))).toContain('predictions_20260701');
});

test('lineage leads to the version, the revision and the run that deployed it; nothing of it for a pinned version', async () => {
  const models = createModelRepository(connection.db);
  const endpoints = createEndpointRepository(connection.db);
  await models.registerVersion(exampleVersion('churn', 'run-1'));
  await createRunRepository(connection.db).project({ status: exampleStatus('run-1'), sequence: 1 });
  await endpoints.prepareRevision({ endpoint: 'churn', runId: 'run-1', modelName: 'churn', modelVersion: 1, traceparent: null }); // prettier-ignore
  const [served, pinned] = [
    exampleRecord(),
    exampleRecord({ endpoint: null, revision: null, model: 'elsewhere', version: 9 }),
  ];
  await repository.insert(lineOf(served) + lineOf(pinned));
  expect(await repository.get(served.id)).toMatchObject({
    prediction: { id: served.id },
    version: { modelName: 'churn', version: 1, runId: 'run-1', codeCommit: 'abc' },
    revision: { revision: 1, runId: 'run-1' },
    deployment: { requested_by: 'test' },
  });
  expect(await repository.get(pinned.id)).toMatchObject({ version: null, revision: null, deployment: null });
  for (const unknown of [predictionId(), 'ffffffff-ffff-7fff-bfff-ffffffffffff'])
    await expect(repository.get(unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('an entity is kept beside the features, as text, alone or in a batch', async () => {
  const insertOne = async (value: RawRow[string] | undefined) => {
    const id = predictionId();
    const features = { age: 30, ...(value === undefined ? {} : { customer: value }) };
    await repository.insert(lineOf({ ...exampleRecord({ id, features }), entity_column: 'customer' }));
    const { prediction } = await repository.get(id);
    expect(prediction.features).toEqual({ age: 30 });
    return prediction.entity;
  };
  expect(await insertOne('c-1')).toBe('c-1');
  expect(await insertOne(42)).toBe('42');
  expect(await insertOne(1e15)).toBe('1000000000000000');
  expect(await insertOne(null)).toBeNull();
  expect(await insertOne(undefined)).toBeNull();
  const id = predictionId();
  await repository.insert(lineOf({ ...exampleRecord({ id, features: { age: 30 } }), entity_column: 'customer' }).replace('"age":30', '"age":30,"customer":42.0')); // prettier-ignore
  expect((await repository.get(id)).prediction.entity).toBe('42');
  const ids = [predictionId(), predictionId()];
  await repository.insert(
    lineOf(
      exampleBatch({
        rows: 2,
        ids,
        features: [{ customer: 'c-1', age: 30 }, { age: 31 }],
        probabilities: [0.25, 0.5],
        entity_column: 'customer',
      }),
    ),
  );
  const rows = await Promise.all(ids.map((each) => repository.get(each)));
  expect(rows.map(({ prediction }) => [prediction.entity, prediction.features])).toEqual([
    ['c-1', { age: 30 }],
    [null, { age: 31 }],
  ]);
});
