import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createPerformanceRepository, type PerformanceRepository } from '../../db/performance.ts';
import { driftReports, driftWindows } from '../../db/schema/drift.ts';
import { realisedMetrics as realisedTable } from '../../db/schema/labels.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { realisedMetrics } from '../../ml/metrics/realised.ts';
import { startTestPostgres } from '../platform.ts';

let database: EmbeddedPostgres;
let connection: Connection;
let repository: PerformanceRepository;

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 12, minute));
const LABELLED = {
  1: { target: Uint8Array.from([1, 0, 1, 0]), probability: Float32Array.from([0.75, 0.5, 0.25, 0.25]) },
  2: { target: Uint8Array.from([1, 1]), probability: Float32Array.from([0.75, 0.25]) },
  4: { target: Uint8Array.from([0, 1]), probability: Float32Array.from([0.125, 0.75]) },
} as const;

/** Windows 1 to 3 of version 1, of which 3 has no label; 4 of version 2; 5 of another endpoint. */
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  repository = createPerformanceRepository(connection.db);
  const window = (sequence: number, version: number, rows: number, endpoint = 'churn') => ({
    ...{
      endpoint,
      sequence,
      model: 'churn',
      version,
      afterPosition: sequence * 100,
      untilPosition: sequence * 100 + 99,
      rows,
    },
    ...{ firstAt: at(sequence), lastAt: at(sequence), closedAt: at(sequence), finishedAt: at(sequence) },
  });
  const windows = [window(1, 1, 4), window(2, 1, 12), window(3, 1, 5), window(4, 2, 2), window(5, 1, 9, 'loans')];
  await connection.db.insert(driftWindows).values(windows);
  const sha = 'a'.repeat(64);
  const report = (sequence: number, estimate: Record<string, number> | null) => ({
    ...{ endpoint: 'churn', sequence, judged: true, drifted: false, driftedShare: 0, predictionDrifted: false },
    ...{ columns: [], estimate, reportSha256: sha, pageSha256: sha, archiveSha256: sha, sketchesSha256: sha },
  });
  await connection.db.insert(driftReports).values([report(1, { accuracy: 0.5, roc_auc: 0.75 }), report(2, { accuracy: 0.9 }), report(3, null)]); // prettier-ignore
  for (const [sequence, { target, probability }] of Object.entries(LABELLED))
    await connection.db.insert(realisedTable).values({
      ...{ endpoint: 'churn', sequence: Number(sequence), metrics: realisedMetrics(target, probability, 0.5) },
      ...{ labelled: target.length, restatedCount: 1, computedAt: at(9) },
    });
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});

test('windows come newest first, in pages, each with what is known of it', async () => {
  const first = await repository.windows({ endpoint: 'churn', limit: 3 });
  expect(first.items.map(({ window }) => window.sequence)).toEqual([4, 3, 2]);
  expect(first.items.map(({ realised }) => realised?.labelled)).toEqual([2, undefined, 2]);
  expect(first.items.map(({ estimate }) => estimate)).toEqual([null, null, { accuracy: 0.9 }]);
  const rest = await repository.windows({ endpoint: 'churn', limit: 3, cursor: first.nextCursor! });
  expect(rest.items.map(({ window }) => window.sequence)).toEqual([1]);
  expect(rest.nextCursor).toBeNull();
});

test('the windows of a version add up to the metrics of all its labelled rows', async () => {
  const [second, first] = await repository.versions({ endpoint: 'churn' });
  const all = realisedMetrics(
    Uint8Array.from([...LABELLED[1].target, ...LABELLED[2].target]),
    Float32Array.from([...LABELLED[1].probability, ...LABELLED[2].probability]),
    0.5,
  );
  const { labelled, accuracy, precision, recall, f1 } = all;
  const realised = { labelled, accuracy, precision, recall, f1 };
  expect(first).toMatchObject({ model: 'churn', version: 1, windows: 3, rows: 21, realised });
  for (const name of ['positive_rate', 'log_loss', 'brier'] as const)
    expect(first!.realised![name]).toBeCloseTo(all[name]!, 12);
  expect(first!.realised!.roc_auc).toBe(0.625); // the second window has one class only
  expect(first!.estimate).toEqual({ accuracy: (4 * 0.5 + 12 * 0.9) / 16, roc_auc: 0.75 });
  expect(second).toMatchObject({ version: 2, windows: 1, realised: { labelled: 2 }, estimate: null });
});

test('both may be limited to a version and a time', async () => {
  const filter = { endpoint: 'churn', version: 1, since: at(2), until: at(3) };
  expect((await repository.windows({ ...filter, limit: 9 })).items.map(({ window }) => window.sequence)).toEqual([2]);
  expect(await repository.versions(filter)).toMatchObject([{ version: 1, windows: 1, realised: { labelled: 2 } }]);
  expect(await repository.versions({ endpoint: 'churn', since: at(30) })).toEqual([]);
  const unlabelled = await repository.versions({ endpoint: 'churn', since: at(3), until: at(4) });
  expect(unlabelled).toMatchObject([{ windows: 1, realised: null, estimate: null }]);
});
