import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { createLabelRepository } from '../../db/labels.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createPredictionRepository } from '../../db/predictions.ts';
import { createRealisedMetricsRepository, type RealisedMetricsRepository } from '../../db/realised-metrics.ts';
import { driftWindows } from '../../db/schema/drift.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { realisedMetrics } from '../../ml/metrics/realised.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { startTestPostgres } from '../platform.ts';
import { exampleLine } from '../serving/prediction-log/examples.ts';
import { exampleVersion } from './examples.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let repository: RealisedMetricsRepository;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  repository = createRealisedMetricsRepository(connection.db);
  for (const version of [1, 2]) await serve(version);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

async function serve(version: number) {
  const runId = `run-${version}`;
  await createModelRepository(connection.db).registerVersion(exampleVersion('churn', runId));
  const endpoints = createEndpointRepository(connection.db);
  const model = { endpoint: 'churn', runId, modelName: 'churn', modelVersion: version, traceparent: null };
  const { revision } = await endpoints.prepareRevision(model);
  const alias = { modelName: 'churn', alias: 'production', from: version === 1 ? null : 1, to: version, runId };
  await endpoints.activate({ endpoint: 'churn', revision, alias, requestedBy: 'test' });
}

let ids: string[];
/** Twelve predictions of two versions in turn; windows 1 and 3 of version 1 (3 and 2 rows), 2 of version 2 (6 rows). */
beforeEach(async () => {
  await connection.db.execute(sql`truncate predictions, labels, label_corrections, drift_windows cascade`);
  await connection.db.execute(sql`alter sequence prediction_positions restart`);
  ids = Array.from({ length: 12 }, (_, index) => predictionId(Date.parse('2026-11-21T12:00:00Z') + index * 1000));
  const probability = (index: number) => (index + 1) / 16;
  for (const [index, id] of ids.entries())
    await createPredictionRepository(connection.db).insert(
      exampleLine({ id, version: 1 + (index % 2), probability: probability(index) }),
    );
  const at = new Date('2026-11-21T12:01:00Z');
  const firstAt = (afterPosition: number) => new Date(Date.parse('2026-11-21T12:00:00Z') + afterPosition * 1000);
  const window = (sequence: number, version: number, afterPosition: number, untilPosition: number, rows: number) => ({
    ...{ endpoint: 'churn', sequence, model: 'churn', version, afterPosition, untilPosition, rows },
    ...{ firstAt: firstAt(afterPosition), lastAt: at, closedAt: at, finishedAt: at },
  });
  await connection.db.insert(driftWindows).values([window(1, 1, 0, 5, 3), window(2, 2, 0, 12, 6), window(3, 1, 5, 9, 2)]); // prettier-ignore
});

const label = (index: number, text: string, observedAt: Date | null = null) =>
  createLabelRepository(connection.db).receive({
    reports: [{ path: '', prediction: { predictionId: ids[index]! }, label: text, observedAt }],
    receivedAt: new Date(),
    reportedBy: 'ada',
  });
const restate = async (sequence: number) => {
  const { window, version } = await repository.getWindow('churn', sequence);
  await repository.restate(window, ({ labels, probabilities }) => {
    const target = Uint8Array.from(labels, (text) => (text === version.signature.classes.positive ? 1 : 0));
    return { metrics: realisedMetrics(target, probabilities, version.signature.threshold), targetDrift: null };
  });
  return (await repository.get('churn', sequence))!;
};

test('windows are dirty from their first label until they are restated, and again after a correction, not after a repeat', async () => {
  expect(await repository.dirtyWindows('churn')).toEqual([]);
  await label(0, 'yes');
  await label(1, 'no');
  await label(6, 'no');
  expect(await repository.dirtyWindows('churn')).toEqual([1, 2, 3]);
  expect(await repository.dirtyWindows('loans')).toEqual([]);
  expect(await restate(1)).toMatchObject({ labelled: 1, restatedCount: 1, metrics: { positive_rate: 1, labelled: 1 } });
  expect(await repository.dirtyWindows('churn')).toEqual([2, 3]);
  await label(0, 'yes');
  await label(0, 'yes', new Date());
  expect(await repository.dirtyWindows('churn')).toEqual([2, 3]);
  await label(0, 'no');
  await label(2, 'no');
  expect(await repository.dirtyWindows('churn')).toEqual([1, 2, 3]);
  expect(await restate(1)).toMatchObject({ labelled: 2, restatedCount: 2, metrics: { positive_rate: 0 } });
  expect(await repository.get('churn', 1)).toMatchObject({ labelled: 2, restatedCount: 2 });
  expect(await repository.get('churn', 2)).toBeNull();
});

test('a window counts the labels of its own version and positions, in the order of its predictions', async () => {
  for (const index of ids.keys()) await label(11 - index, index % 3 === 0 ? 'yes' : 'no');
  for (const [sequence, rows] of [
    [1, [0, 2, 4]],
    [2, [1, 3, 5, 7, 9, 11]],
    [3, [6, 8]],
  ] as const) {
    // prettier-ignore
    const target = Uint8Array.from(rows, (index) => ((11 - index) % 3 === 0 ? 1 : 0));
    const probabilities = Float32Array.from(rows, (index) => (index + 1) / 16);
    expect((await restate(sequence)).metrics).toEqual(realisedMetrics(target, probabilities, 0.5));
  }
  expect(await repository.dirtyWindows('churn')).toEqual([]); // the last prediction of version 1 is in no window yet
});

test('a window that is not finished waits for its report', async () => {
  await connection.db.update(driftWindows).set({ finishedAt: null });
  await label(0, 'yes');
  expect(await repository.dirtyWindows('churn')).toEqual([]);
  await connection.db.update(driftWindows).set({ finishedAt: new Date() });
  expect(await repository.dirtyWindows('churn')).toEqual([1]);
});

test('labels that arrive while a window is restated are in its metrics, or leave it dirty: none is lost', async () => {
  const others = [connect(database.url), connect(database.url)];
  let done = false;
  const restating = (async () => {
    while (!done) await restate(2);
  })();
  const senders = others.map(async ({ db }, sender) => {
    for (let round = 0; round < 40; round++)
      await createLabelRepository(db).receive({
        reports: [1, 3, 5, 7, 9, 11].map((index) => ({
          ...{
            path: '',
            prediction: { predictionId: ids[index]! },
            label: (round + sender + index) % 2 ? 'yes' : 'no',
          },
          observedAt: null,
        })),
        receivedAt: new Date(),
        reportedBy: `sender-${sender}`,
      });
  });
  await Promise.all(senders);
  done = true;
  await restating;
  const dirty = await repository.dirtyWindows('churn');
  const stored = await repository.get('churn', 2);
  const fresh = await restate(2);
  if (dirty.length === 0) expect(fresh.metrics).toEqual(stored!.metrics);
  expect(fresh.labelled).toBe(6);
  expect(await repository.dirtyWindows('churn')).toEqual([]);
  await Promise.all(others.map(({ close }) => close()));
});

test('a restatement and a correction of the same labels do not wait for each other in a circle', async () => {
  await connection.sql`update predictions set position = 13 - position`; // arrived in another order than that of their ids
  for (const index of [3, 1]) await label(index, 'yes');
  const restated = await connection.db.transaction(async (tx) => {
    const correct = (index: number) =>
      createLabelRepository(tx).receive({
        reports: [{ path: '', prediction: { predictionId: ids[index]! }, label: 'no', observedAt: null }],
        receivedAt: new Date(Date.now() + 1000),
        reportedBy: 'ada',
      });
    await correct(1);
    const restating = restate(2);
    const isWaiting = async () => expect(await connection.sql`select from pg_locks where not granted`).toHaveLength(1);
    await vi.waitFor(isWaiting, { timeout: 60_000 });
    await correct(3);
    return { restating };
  });
  expect(await restated.restating).toMatchObject({ labelled: 2, metrics: { positive_rate: 0 } });
  expect(await repository.dirtyWindows('churn')).toEqual([]);
});

test('a late label does not restate a window whose other labels are deleted', async () => {
  for (const index of [0, 2, 6]) await label(index, 'yes');
  const before = [await restate(1), await restate(3)];
  await createLabelRepository(connection.db).dropBefore(new Date('2026-11-21T12:00:02Z'));
  await label(4, 'no');
  await label(8, 'no');
  expect(await repository.dirtyWindows('churn')).toEqual([3]);
  expect([await restate(1), await restate(3)]).toMatchObject([before[0], { labelled: 2, restatedCount: 2 }]);
});
