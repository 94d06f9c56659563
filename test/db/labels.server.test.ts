import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { createLabelRepository, type LabelReport, type LabelRepository } from '../../db/labels.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createPredictionRepository } from '../../db/predictions.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { startTestPostgres } from '../platform.ts';
import { exampleLine } from '../serving/prediction-log/examples.ts';
import { exampleVersion } from './examples.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let repository: LabelRepository;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  repository = createLabelRepository(connection.db);
  const version = exampleVersion('churn', 'run-1');
  await createModelRepository(connection.db).registerVersion({
    ...version,
    signature: { ...version.signature, entity: 'customer' },
  });
  await createModelRepository(connection.db).registerVersion(exampleVersion('loans', 'run-2'));
  for (const [endpoint, runId] of [['churn', 'run-1'], ['loans', 'run-2']] as const) // prettier-ignore
    await createEndpointRepository(connection.db).prepareRevision({ endpoint, runId, modelName: endpoint, modelVersion: 1, traceparent: null }); // prettier-ignore
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(() => connection.db.execute(sql`truncate predictions, labels, label_corrections, pending_labels`));

const NOON = Date.parse('2026-11-21T12:00:00Z');
const at = (seconds: number) => new Date(NOON + seconds * 1000);
const idAt = (seconds: number) => predictionId(NOON + seconds * 1000);
const insert = (ids: readonly string[], changes: Parameters<typeof exampleLine>[0] = {}) =>
  createPredictionRepository(connection.db).insert(ids.map((id) => exampleLine({ ...changes, id })).join(''));
const byId = (predictionId: string, label: string, observedAt: Date | null = null): LabelReport => ({
  ...{ path: '', prediction: { predictionId }, label, observedAt },
});
const receive = (reports: readonly LabelReport[], receivedAt = at(1000)) =>
  repository.receive({ reports, receivedAt, reportedBy: 'ada' });
const nothing = { matched: 0, pending: 0, corrected: 0, unchanged: 0 };
const labelled = async () =>
  Object.fromEntries(
    (await connection.sql<{ id: string; label: string }[]>`select prediction_id as id, label from labels`).map(
      ({ id, label }) => [id, label],
    ),
  );
const setEntity = (id: string, entity: string) => connection.sql`update predictions set entity = ${entity} where id = ${id}`; // prettier-ignore

test('a label is matched once, unchanged when repeated, corrected when another is observed later; corrections are kept', async () => {
  const id = idAt(0);
  await insert([id]);
  expect(await receive([byId(id, 'yes', at(10))])).toEqual({ ...nothing, matched: 1 });
  expect(await receive([byId(id, 'yes', at(10))])).toEqual({ ...nothing, unchanged: 1 });
  expect(await receive([byId(id, 'no', at(20))], at(2000))).toEqual({ ...nothing, corrected: 1 });
  expect(await receive([byId(id, 'yes', at(15))], at(3000))).toEqual({ ...nothing, unchanged: 1 });
  const { label, corrections } = await repository.get(id);
  expect(label).toMatchObject({ label: 'no', observedAt: at(20), receivedAt: at(2000), reportedBy: 'ada', predictedAt: at(0) }); // prettier-ignore
  expect(label).toMatchObject({ endpoint: 'churn', model: 'churn', version: 1, probability: 0.1 + 0.2 });
  expect(corrections).toMatchObject([{ label: 'yes', observedAt: at(10), receivedAt: at(1000), replacedAt: at(2000) }]);
  await expect(repository.get(idAt(1))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a label that is no class of its model is refused by its place and the rule, and nothing beside it is kept', async () => {
  const [good, bad, pinned] = [idAt(0), idAt(1), idAt(2)];
  await insert([good, bad]);
  await insert([pinned], { endpoint: null, revision: null, model: 'elsewhere', version: 9 });
  const reports = [byId(good, 'yes'), { ...byId(bad, 'maybe'), path: 'labels.1' }, { ...byId(pinned, 'yes'), path: 'row 7' }]; // prettier-ignore
  await expect(receive(reports)).rejects.toMatchObject({
    code: 'INVALID',
    details: [
      { path: 'labels.1.label', rule: 'class', message: "must be 'no' or 'yes', the classes of models:/churn/1" },
      { path: 'row 7.label', rule: 'class', message: 'the registry does not know models:/elsewhere/9' },
    ],
  });
  expect(await labelled()).toEqual({});
});

test('classes are compared as a definition compares them', async () => {
  const models = createModelRepository(connection.db);
  const version = exampleVersion('numbers', 'run-3');
  await models.registerVersion({
    ...version,
    signature: { ...version.signature, classes: { negative: 'false', positive: '1' } },
  });
  const ids = [idAt(0), idAt(1), idAt(2)];
  await insert(ids, { model: 'numbers' });
  await receive([byId(ids[0]!, 'FALSE'), byId(ids[1]!, ' 1.0'), byId(ids[2]!, '1')]);
  expect(await labelled()).toEqual({ [ids[0]!]: 'false', [ids[1]!]: '1', [ids[2]!]: '1' });
});

test('a label that comes before its prediction waits, once however often it is sent, and is matched when that is shipped', async () => {
  const id = idAt(0);
  expect(await receive([byId(id, 'yes', at(5)), byId(id, 'yes', at(6))])).toEqual({ ...nothing, pending: 2 });
  expect(await receive([byId(id, 'yes', at(5))])).toEqual({ ...nothing, pending: 1 });
  expect(await repository.matchPending(at(1000), 10)).toEqual({ looked: 1, matched: 0, refused: 0 });
  expect(await repository.matchPending(at(1004), 10)).toEqual({ looked: 0, matched: 0, refused: 0 });
  await insert([id]);
  expect(await repository.matchPending(at(1006), 10)).toEqual({ looked: 1, matched: 1, refused: 0 });
  expect((await repository.get(id)).label).toMatchObject({ label: 'yes', observedAt: at(6), receivedAt: at(1000) });
  expect(await repository.matchPending(at(99_999), 10)).toMatchObject({ looked: 0 });
});

test('a waiting label does not undo one that was observed after it, and a wrong one is put aside', async () => {
  const [id, other] = [idAt(0), idAt(1)];
  await receive([byId(id, 'yes', at(5)), byId(other, 'maybe')]);
  await insert([id, other]);
  await receive([byId(id, 'no', at(7))]);
  expect(await repository.matchPending(at(1000), 10)).toEqual({ looked: 2, matched: 1, refused: 1 });
  expect(await labelled()).toEqual({ [id]: 'no' });
  expect(await repository.matchPending(at(99_999), 10)).toMatchObject({ looked: 0 });
});

test('a label that waits is matched only to predictions that its sender may label, whoever else sends it', async () => {
  const [own, other, free] = [idAt(0), idAt(1), idAt(2)];
  const send = (id: string, reportedBy: string, endpoints: readonly string[] | null) =>
    repository.receive({ reports: [byId(id, 'yes')], receivedAt: at(1000), reportedBy, endpoints });
  for (const id of [own, other, free]) await send(id, 'ada/ci', ['loans', 'a "quoted", {one}']);
  await send(other, 'bob', null);
  await insert([own], { endpoint: 'loans', model: 'loans' });
  await insert([other]);
  await insert([free], { endpoint: null, revision: null });
  expect(await repository.matchPending(at(1000), 10)).toEqual({ looked: 4, matched: 2, refused: 2 });
  expect(await labelled()).toEqual({ [own]: 'yes', [other]: 'yes' });
  expect((await repository.get(other)).label.reportedBy).toBe('bob');
  expect(await connection.sql`select distinct refused, to_jsonb(endpoints) as endpoints from pending_labels`).toEqual([
    { refused: 'this API key is for other endpoints', endpoints: ['loans', 'a "quoted", {one}'] },
  ]);
});

test('the longer a label has waited, the rarer it is looked for', async () => {
  await receive([byId(idAt(0), 'yes')], at(0));
  await repository.matchPending(at(10_000), 10);
  expect(await repository.matchPending(at(10_999), 10)).toMatchObject({ looked: 0 });
  expect(await repository.matchPending(at(11_001), 10)).toMatchObject({ looked: 1 });
});

test('by entity a label goes to the newest prediction at or before its time, of that endpoint', async () => {
  const ids = [idAt(0), idAt(100), idAt(86_400), idAt(50)];
  await insert(ids.slice(0, 3));
  await insert(ids.slice(3), { endpoint: 'loans', model: 'loans' });
  for (const id of ids) await setEntity(id, 'c-1');
  const of = (entity: string, time: Date | null, label: string): LabelReport => ({
    ...{ path: '', prediction: { endpoint: 'churn', entity, at: time }, label, observedAt: null },
  });
  expect(await receive([of('c-1', at(99), 'no'), of('c-1', at(100), 'yes')])).toEqual({ ...nothing, matched: 2 });
  expect(await receive([of('c-1', null, 'yes')], at(90_000))).toEqual({ ...nothing, matched: 1 });
  expect(await labelled()).toEqual({ [ids[0]!]: 'no', [ids[1]!]: 'yes', [ids[2]!]: 'yes' });
  const early = [of('c-1', at(-1), 'no'), of('c-2', null, 'no')];
  expect(await receive(early)).toEqual({ ...nothing, pending: 2 });
  const late = idAt(900);
  await insert([late]);
  await setEntity(late, 'c-2');
  expect(await repository.matchPending(at(1000), 10)).toEqual({ looked: 2, matched: 1, refused: 0 });
  expect(await labelled()).toMatchObject({ [late]: 'no' });
});

test('a label of an entity that is sent again while it waits is also for the prediction made in between', async () => {
  const report: LabelReport = {
    ...{ path: '', prediction: { endpoint: 'churn', entity: 'c-3', at: null }, label: 'yes', observedAt: null },
  };
  await receive([report], at(10));
  const between = idAt(15);
  await receive([report, report], at(20));
  await insert([between]);
  await setEntity(between, 'c-3');
  expect(await repository.matchPending(at(30), 10)).toEqual({ looked: 2, matched: 1, refused: 0 });
  expect((await repository.get(between)).label).toMatchObject({ label: 'yes', receivedAt: at(20) });
});

test('an endpoint that keeps no entities, or that nobody knows, is refused', async () => {
  const reports = ['loans', 'churn', 'nowhere'].map((endpoint, index): LabelReport => ({
    ...{ path: `labels.${index}`, prediction: { endpoint, entity: 'c-1', at: null }, label: 'yes', observedAt: null },
  }));
  await expect(receive(reports)).rejects.toMatchObject({
    code: 'INVALID',
    details: [
      { path: 'labels.0.endpoint', rule: 'entity' },
      { path: 'labels.2.endpoint', rule: 'entity' },
    ],
  });
});

test('10,000 labels are one batch, from several senders at once too: each prediction has one label, each change is counted once', async () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => idAt(index * 10)); // two days
  await insert(ids);
  const others = [connect(database.url), connect(database.url)];
  const senders = [connection, ...others].map(({ db }) => createLabelRepository(db));
  const shuffled = (step: number) => ids.map((_, index) => ids[(index * step) % ids.length]!);
  const counts = await Promise.all(
    senders.map((sender, index) => {
      const reports = shuffled([1, 7, 9999][index]!).map((id) => byId(id, index === 2 ? 'no' : 'yes', at(200_000 + index))); // prettier-ignore
      return sender.receive({ reports, receivedAt: at(300_000), reportedBy: `sender-${index}` });
    }),
  );
  const sum = (field: 'matched' | 'corrected' | 'unchanged' | 'pending') =>
    counts.reduce((total, count) => total + count[field], 0);
  expect(sum('matched')).toBe(10_000);
  expect(sum('matched') + sum('corrected') + sum('unchanged')).toBe(30_000);
  expect(new Set(Object.values(await labelled()))).toEqual(new Set(['no'])); // observed last
  const [kept] = await connection.sql<[{ n: number }]>`select count(*)::int as n from label_corrections`;
  expect(kept.n).toBe(sum('corrected'));
  await Promise.all(others.map(({ close }) => close()));
});

test('several workers that look for predictions share the labels among them', async () => {
  const ids = Array.from({ length: 200 }, (_, index) => idAt(index));
  await receive(ids.map((id) => byId(id, 'yes')));
  await insert(ids);
  const passes = await Promise.all([0, 1, 2].map(() => repository.matchPending(at(2000), 80)));
  const rest = await repository.matchPending(at(2000), 200);
  expect([...passes, rest].reduce((total, { matched }) => total + matched, 0)).toBe(200);
  expect(Object.keys(await labelled())).toHaveLength(200);
});

test('a label is looked for in the partition of its day alone', async () => {
  const ids = [idAt(0), idAt(86_400), idAt(2 * 86_400)];
  await insert(ids);
  const touched = await connection.db.transaction(async (tx) => {
    const scans = async () =>
      new Map(
        (
          await tx.execute<{ name: string; scans: number }>(
            sql`select relname as name, pg_stat_get_xact_numscans(oid)::int as scans from pg_class
              where relname ~ '^predictions_\\d{8}_'`,
          )
        ).map((row) => [row.name, row.scans]),
      );
    // A partition of one row would be read whole once its statistics say so.
    await tx.execute(sql`set local enable_seqscan = off`);
    const before = await scans();
    await createLabelRepository(tx).receive({ reports: [byId(ids[1]!, 'yes')], receivedAt: at(0), reportedBy: 'ada' });
    return [...(await scans())].filter(([name, count]) => count > before.get(name)!).map(([name]) => name);
  });
  expect(touched).toEqual(['predictions_20261122_pkey']);
});

test('labels are forgotten with their predictions, and what waited for longer too', async () => {
  const [old, kept] = [idAt(0), idAt(100)];
  await insert([old, kept]);
  await receive([byId(old, 'no', at(1)), byId(kept, 'no'), byId(idAt(200), 'yes')], at(50));
  await receive([byId(old, 'yes', at(2))], at(60));
  await receive([byId(idAt(300), 'yes')], at(400));
  await repository.dropBefore(at(100));
  expect(Object.keys(await labelled())).toEqual([kept]);
  const [left] = await connection.sql<[{ pending: number; corrections: number }]>`
    select (select count(*) from pending_labels)::int as pending, (select count(*) from label_corrections)::int as corrections`;
  expect(left).toEqual({ pending: 1, corrections: 0 });
});
