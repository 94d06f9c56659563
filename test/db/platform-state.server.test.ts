import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { createDriftReportRepository, type NewDriftReport } from '../../db/drift-reports.ts';
import { createDriftWindowRepository } from '../../db/drift-windows.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createPlatformStateRepository, type PlatformStateRepository } from '../../db/platform-state.ts';
import { createPredictionRepository } from '../../db/predictions.ts';
import { createRunRepository } from '../../db/runs.ts';
import { realisedMetrics } from '../../db/schema/labels.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { startTestPostgres } from '../platform.ts';
import { exampleLine } from '../serving/prediction-log/examples.ts';
import { exampleStatus, exampleVersion } from './examples.ts';

const AT = Date.parse('2026-11-20T12:00:00.500Z');

const startedSeconds = Date.now() / 1000;

let database: EmbeddedPostgres;
let connection: Connection;
let state: PlatformStateRepository;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  state = createPlatformStateRepository(connection.db);
  await connection.sql`insert into endpoints (name) values ('empty')`;
  await deploy(1, null);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

async function deploy(version: number, before: number | null): Promise<void> {
  const endpoints = createEndpointRepository(connection.db);
  const runId = `run-${version}`;
  await createModelRepository(connection.db).registerVersion(exampleVersion('churn', runId));
  const { revision } = await endpoints.prepareRevision({
    ...{ endpoint: 'churn', runId, modelName: 'churn', modelVersion: version, traceparent: null },
  });
  const alias = { modelName: 'churn', alias: 'production', from: before, to: version, runId } as const;
  await endpoints.activate({ endpoint: 'churn', revision, alias, requestedBy: 'ada' });
}
async function predict(rows: number, version = 1): Promise<void> {
  const ids = Array.from({ length: rows }, (_, index) => predictionId(AT - index));
  await createPredictionRepository(connection.db).insert(ids.map((id) => exampleLine({ id, version })).join(''));
}
async function closeWindow(): Promise<void> {
  const rule = { endpoint: 'churn', least: 1, most: 20, periodEnd: new Date(Date.now() + 60_000) };
  await createDriftWindowRepository(connection).close(rule);
}
const report = (sequence: number, changes: Partial<NewDriftReport> = {}): NewDriftReport => ({
  ...{ endpoint: 'churn', sequence, judged: true, drifted: false, driftedShare: 0, predictionDrifted: false },
  ...{ columns: [], estimate: null },
  ...{ reportSha256: 'a', pageSha256: 'b', archiveSha256: 'c', sketchesSha256: 'd' },
  ...changes,
});

test('an endpoint shows its version, its last prediction and what waits for a window; one that serves nothing is left out', async () => {
  expect(await state.endpoints()).toMatchObject([{ endpoint: 'churn', lastPredictionSeconds: null, waiting: 0 }]);
  await predict(25);
  await closeWindow();
  const [churn, ...others] = await state.endpoints();
  expect(others).toEqual([]);
  expect(churn).toEqual({
    ...{ endpoint: 'churn', model: 'churn', version: 1, lastPredictionSeconds: AT / 1000, waiting: 5, unreported: 1 },
    createdSeconds: expect.any(Number) as number,
    activatedSeconds: expect.any(Number) as number,
  });
  expect(churn!.activatedSeconds).toBeGreaterThan(startedSeconds - 1);
  expect(churn!.activatedSeconds).toBeLessThan(Date.now() / 1000 + 1);
});

test('drift and performance are those of the last window of the served version that has them', async () => {
  const reports = createDriftReportRepository(connection.db);
  const before = new Date(Date.now() - 1000);
  expect(await state.drift()).toEqual([]);
  const columns = [
    { column: 'age', method: 'ks', score: 0.001, drifted: true },
  ] as unknown as NewDriftReport['columns'];
  await reports.record(report(1, { drifted: true, driftedShare: 0.75, columns, estimate: { roc_auc: 0.7 } }));
  await closeWindow();
  expect(await state.drift()).toEqual([
    {
      ...{ endpoint: 'churn', model: 'churn', version: 1, sequence: 1, rows: 20, lastSeconds: AT / 1000 },
      ...{ judged: true, drifted: true, driftedShare: 0.75, predictionDrifted: false, estimate: { roc_auc: 0.7 } },
      columns,
    },
  ]);
  await reports.record(report(2, { judged: false }));
  expect(await state.drift()).toMatchObject([{ sequence: 2, rows: 5, driftedShare: 0, estimate: null }]);
  expect(await state.windowsSince(before)).toEqual([
    { endpoint: 'churn', sequence: 1, judged: true, drifted: true },
    { endpoint: 'churn', sequence: 2, judged: false, drifted: false },
  ]);
  expect(await state.windowsSince(new Date(Date.now() + 60_000))).toEqual([]);

  const metrics = { labelled: 3, roc_auc: 0.8, pr_auc: null } as never;
  const times = { computedAt: new Date(), restatedCount: 1, targetDrift: null };
  await connection.db
    .insert(realisedMetrics)
    .values({ endpoint: 'churn', sequence: 1, metrics, labelled: 3, ...times });
  expect(await state.realised()).toEqual([{ endpoint: 'churn', model: 'churn', version: 1, labelled: 3, metrics }]);
});

test('a new version starts without drift', async () => {
  await deploy(2, 1);
  await predict(3, 2);
  expect(await state.endpoints()).toMatchObject([{ version: 2, waiting: 3, unreported: 0 }]);
  expect(await state.drift()).toEqual([]);
  expect(await state.realised()).toEqual([]);
});

test('runs are counted by kind and state, from an index alone', async () => {
  const runs = createRunRepository(connection.db);
  for (const id of ['a', 'b']) await runs.project({ status: exampleStatus(id, { state: 'FAILED' }), sequence: 1 });
  await runs.project({ status: exampleStatus('c', { kind: 'deploy_model' }), sequence: 1 });
  const counts = await state.runs();
  expect(counts).toHaveLength(2);
  expect(counts).toEqual(
    expect.arrayContaining([
      { kind: 'train_model', state: 'FAILED', count: 2 },
      { kind: 'deploy_model', state: 'RUNNING', count: 1 },
    ]),
  );
  const plan = await connection.db.transaction(async (tx) => {
    await tx.execute(sql`set local enable_seqscan = off`);
    return await tx.execute(sql`explain select kind, state, count(*) from runs group by kind, state`);
  });
  expect(JSON.stringify(plan)).toContain('Index Only Scan using runs_kind_state_index');
});
