import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createResponseActivities } from '../../activities/respond.ts';
import { createRetrainingActivities, type RetrainingOutcome } from '../../activities/retraining.ts';
import { createAlertRepository } from '../../db/alerts.ts';
import { connect, type Connection } from '../../db/connect.ts';
import { createEndpointRepository } from '../../db/endpoints.ts';
import { migrate } from '../../db/migrate.ts';
import { createModelRepository } from '../../db/models.ts';
import { createRetrainingRepository } from '../../db/retrainings.ts';
import { alertDeliveries, silences } from '../../db/schema/alerts.ts';
import { driftReports, driftWindows } from '../../db/schema/drift.ts';
import { labels, realisedMetrics } from '../../db/schema/labels.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { definePipeline, type PipelineDefinitionInput } from '../../pipelines/definition.ts';
import { exampleDefinition, exampleVersion } from '../db/examples.ts';
import { startTestPostgres } from '../platform.ts';

const DAY_MS = 86_400_000;

let database: EmbeddedPostgres;
let connection: Connection;
let alerts: ReturnType<typeof createAlertRepository>;
let retrainings: ReturnType<typeof createRetrainingRepository>;
let tests = 0;
let name: string; // of the pipeline, the model and the endpoint
let retraining: PipelineDefinitionInput['retraining'];
let now: Date;
let isUnderWay: boolean;
beforeAll(async () => {
  database = await startTestPostgres();
  await migrate(database.url);
  connection = connect(database.url);
  alerts = createAlertRepository(connection.db);
  retrainings = createRetrainingRepository(connection.db);
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  name = `model-${++tests}`;
  now = new Date();
  isUnderWay = true;
  retraining = { on_drift: {} };
  await serve(1);
});

async function serve(version: number) {
  const runId = `${name}-run-${version}`;
  await createModelRepository(connection.db).registerVersion({ ...exampleVersion(name, runId), pipelineName: name });
  const endpoints = createEndpointRepository(connection.db);
  const model = { endpoint: name, runId, modelName: name, modelVersion: version, traceparent: null };
  const { revision } = await endpoints.prepareRevision(model);
  const alias = { modelName: name, alias: 'production', from: version === 1 ? null : version - 1, to: version, runId };
  await endpoints.activate({ endpoint: name, revision, alias, requestedBy: 'test' });
}

async function report(
  sequence: number,
  { drifted = true, judged = true, version = 1, estimate = null as { roc_auc: number } | null } = {},
) {
  const at = new Date();
  const own = { endpoint: name, sequence };
  const positions = { afterPosition: sequence * 10, untilPosition: sequence * 10 + 10, rows: 10 };
  await connection.db
    .insert(driftWindows)
    .values({ ...own, model: name, version, ...positions, firstAt: at, lastAt: at });
  const sha256 = 'a'.repeat(64);
  await connection.db.insert(driftReports).values({
    ...{ ...own, judged, drifted, driftedShare: 1, predictionDrifted: false, estimate: estimate as never },
    columns: [{ column: 'age', role: 'feature', drifted } as never],
    ...{ reportSha256: sha256, pageSha256: sha256, archiveSha256: sha256, sketchesSha256: sha256 },
  });
}

const judge = async (sequence: number) =>
  await createResponseActivities({
    ...{ alone: retrainings.alone, windowVersion: retrainings.windowVersion, webhook: true, now: () => now },
    isUnderWay: () => Promise.resolve(isUnderWay),
    getPipeline: (pipelineName) =>
      Promise.resolve({
        ...{ pipelineName, version: 2, definitionSha256: 'd', createdBy: 'test', createdAt: now },
        definition: definePipeline({ ...exampleDefinition(name), retraining }),
      }),
  }).judgeWindow({ endpoint: name, sequence });
const end = async (sequence: number, outcome: RetrainingOutcome) =>
  await new MockActivityEnvironment().run(
    createRetrainingActivities({ alone: retrainings.alone, webhook: true } as never).endRetraining,
    { endpoint: name, sequence, outcome },
  );
const listed = async () => (await retrainings.list({ endpoint: name, limit: 100 })).items;
const open = async () =>
  (await alerts.list({ endpoint: name, limit: 100 })).items.filter((a) => a.state !== 'resolved');

test('fifty windows at once that say the same start one run', async () => {
  const sequences = Array.from({ length: 50 }, (_, index) => index + 1);
  for (const sequence of sequences) await report(sequence);
  const answers = await Promise.all(sequences.flatMap((sequence) => [judge(sequence), judge(sequence)]));
  const started = new Set(answers.map((answer) => answer.retraining?.run_id).filter((id) => id !== undefined));
  expect(started.size).toBe(1);
  const rows = await listed();
  expect(rows).toHaveLength(50);
  expect(rows.filter(({ state }) => state === 'started').map(({ runId }) => runId)).toEqual([...started]);
  expect(rows.filter(({ reason }) => reason?.startsWith('running: since'))).toHaveLength(49);
  // One alert, and one message.
  expect(await open()).toMatchObject([{ kind: 'drift', severity: 'warning', count: 1, lastSequence: 50 }]);
  expect(new Set(answers.flatMap(({ deliveries }) => deliveries)).size).toBe(1);
});

test('a window is judged again with the same result, also after its answer was lost', async () => {
  await report(1);
  expect(await judge(1)).toMatchObject({ retraining: null });
  expect(await listed()).toMatchObject([{ state: 'skipped', reason: 'hysteresis: 1 of 2 windows', runId: null }]);
  await report(2);
  const first = await judge(2);
  expect(first.retraining).toEqual({
    ...{ cause: { endpoint: name, sequence: 2, kind: 'drift' }, run_id: `retrain-${name}-2`, model: name, version: 1 },
    ...{ pipeline: { name, version: 2 }, definition: 'd', include_labels: true },
  });
  expect(await judge(2)).toEqual(first);
  await end(2, { state: 'completed', version: 2, promoted: true });
  expect(await judge(2)).toMatchObject({ retraining: null });
  expect((await listed())[0]).toMatchObject({ state: 'completed', newVersion: 2, promoted: true, windows: [2, 1] });
});

test('a failed run raises an alert, and is tried again when the cooldown is over', async () => {
  for (const sequence of [1, 2, 3, 4]) await report(sequence);
  await judge(2);
  await end(2, { state: 'failed', reason: 'roc_auc is 0.4' });
  expect((await open()).map(({ kind, severity, message }) => [kind, severity, message])).toContainEqual([
    ...['retraining_failed', 'critical'],
    'training again because of drift (age drifted in windows 3, 4) failed: roc_auc is 0.4',
  ]);
  await judge(3);
  expect((await listed())[0]!.reason).toMatch(/^cooldown: until /);
  now = new Date(Date.now() + DAY_MS + 1000);
  expect((await judge(4)).retraining?.run_id).toBe(`retrain-${name}-4`);
  await end(4, { state: 'completed', version: 2, promoted: true });
  expect((await open()).map(({ kind }) => kind)).toEqual(['drift']);
});

test('a retraining that was terminated is found to be over, and a later cause starts one', async () => {
  for (const sequence of [1, 2, 3, 4]) await report(sequence);
  await judge(2);
  isUnderWay = false;
  expect((await judge(2)).retraining).not.toBeNull(); // its workflow may be about to start
  now = new Date(Date.now() + 6 * 60_000);
  const { deliveries } = await judge(3);
  expect(await listed()).toMatchObject([
    { sequence: 3, state: 'skipped', reason: expect.stringMatching(/^cooldown: until /) as string },
    { sequence: 2, state: 'failed', reason: 'it was ended from outside' },
  ]);
  const [failed] = (await open()).filter(({ kind }) => kind === 'retraining_failed');
  const [told] = (await alerts.get(failed!.id)).deliveries;
  expect(deliveries).toContain(told!.id);
  now = new Date(now.getTime() + DAY_MS);
  expect((await judge(4)).retraining?.run_id).toBe(`retrain-${name}-4`);
});

test('windows of a version that is not served any more say nothing about the one that is', async () => {
  await report(1);
  await report(2);
  await serve(2);
  expect(await judge(2)).toEqual({ retraining: null, deliveries: [] });
  expect(await open()).toEqual([]);
  expect(await listed()).toEqual([]);
});

/** Window 1 starts the one run of the week, which fails; window 2 gives a cause for another. */
async function holdBack() {
  retraining = { on_drift: { windows: 1 }, max_per_week: 1, cooldown_seconds: 0 };
  await report(1);
  await judge(1);
  await end(1, { state: 'failed', reason: 'no' });
  now = new Date(Date.now() + 1000);
  await report(2);
  await judge(2);
}

test('a limit that holds a run back is an alert of its own, until one starts', async () => {
  await holdBack();
  expect((await listed())[0]).toMatchObject({ reason: 'weekly limit: 1 of 1 in seven days' });
  expect((await open()).map(({ kind }) => kind)).toContain('retraining_skipped');
  now = new Date(now.getTime() + 7 * DAY_MS);
  await report(3);
  expect((await judge(3)).retraining).not.toBeNull();
  expect((await open()).map(({ kind }) => kind)).not.toContain('retraining_skipped');
});

test('a limit holds nothing back any more when a later window gives no cause', async () => {
  await holdBack();
  expect((await open()).map(({ kind }) => kind)).toContain('retraining_skipped');
  await report(3, { drifted: false });
  await judge(3);
  expect((await open()).map(({ kind }) => kind)).toEqual(['retraining_failed']);
});

test('alerts about a version are over when another one is served, whatever is known of that one', async () => {
  retraining = { on_metric: { metric: 'roc_auc', at_least: 0.7, min_labels: 5 }, max_per_week: 1, cooldown_seconds: 0 };
  await report(1, { estimate: { roc_auc: 0.6 } });
  const metrics = { roc_auc: 0.6 } as never;
  const row = { endpoint: name, labelled: 5, restatedCount: 1, computedAt: new Date() };
  await connection.db.insert(realisedMetrics).values({ ...row, sequence: 1, metrics });
  await judge(1);
  await end(1, { state: 'failed', reason: 'no' });
  now = new Date(Date.now() + 1000);
  await report(2, { estimate: { roc_auc: 0.6 } });
  await judge(2);
  const kinds = async () => (await open()).map(({ kind }) => kind).sort();
  expect(await kinds()).toEqual([
    ...['drift', 'estimated_performance', 'performance', 'retraining_failed', 'retraining_skipped'],
  ]);
  await serve(2);
  await report(3);
  expect((await judge(3)).deliveries).toEqual([]); // still of the first version
  expect(await kinds()).toHaveLength(5);
  await report(4, { judged: false, version: 2 });
  const { deliveries } = await judge(4);
  expect(deliveries).toHaveLength(5);
  expect(await judge(4)).toEqual({ retraining: null, deliveries });
  expect(await kinds()).toEqual([]);
  const { items } = await alerts.list({ endpoint: name, kind: 'performance', limit: 9 });
  expect(items).toMatchObject([
    { version: 1, message: 'by 5 labels, roc_auc is 0.6, must be at least 0.7; another version is served' },
  ]);
  await report(5, { version: 2 });
  await judge(5);
  expect((await open()).filter(({ kind }) => kind === 'drift')).toMatchObject([{ version: 2, count: 1 }]);
});

test('labels that come late restate the performance, and can be what starts a run', async () => {
  retraining = { on_metric: { metric: 'roc_auc', at_least: 0.7, min_labels: 5 } };
  await report(1, { drifted: false });
  expect((await judge(1)).retraining).toBeNull();
  const metrics = (roc_auc: number) => ({ roc_auc }) as never;
  const row = { endpoint: name, sequence: 1, labelled: 5, restatedCount: 1, computedAt: new Date() };
  await connection.db.insert(realisedMetrics).values({ ...row, metrics: metrics(0.6) });
  expect((await judge(1)).retraining?.cause).toEqual({ endpoint: name, sequence: 1, kind: 'metric' });
  expect(await open()).toMatchObject([{ kind: 'performance', severity: 'critical' }]);
  await connection.db
    .update(realisedMetrics)
    .set({ metrics: metrics(0.8) })
    .where(eq(realisedMetrics.endpoint, name));
  await judge(1);
  expect(await open()).toEqual([]);
});

test('new labels of an endpoint are counted no further than is asked for', async () => {
  const madeAt = new Date();
  const row = (endpoint: string, index: number, receivedAt: Date) => ({
    ...{ predictionId: randomUUID(), predictedAt: madeAt, endpoint, model: name, version: 1, position: index },
    ...{ probability: 0.5, label: 'yes', observedAt: madeAt, receivedAt, reportedBy: 'ada' },
  });
  const later = new Date(madeAt.getTime() + 1);
  await connection.db
    .insert(labels)
    .values([row(name, 1, later), row(name, 2, later), row(name, 3, later), row(name, 4, madeAt), row('other', 5, later)]); // prettier-ignore
  const counted = (most: number) => retrainings.alone(name, (held) => held.labelsSince(madeAt, most));
  expect(await Promise.all([counted(0), counted(2), counted(9)])).toEqual([0, 2, 3]);
});

test('an alert counts its windows, is acknowledged once, told once, and resolved by a window that is well', async () => {
  retraining = undefined;
  const told = async () => {
    const rows = await connection.db.select().from(alertDeliveries);
    const own = new Set((await alerts.list({ endpoint: name, limit: 100 })).items.map(({ id }) => id));
    return rows.filter(({ alertId }) => own.has(alertId)).map(({ event, state }) => `${event} ${state}`);
  };
  for (const sequence of [1, 2]) {
    await report(sequence);
    await judge(sequence);
  }
  const [raised] = await open();
  expect(raised).toMatchObject({ state: 'firing', count: 2, lastSequence: 2, message: 'the data has drifted: age' });
  const [one, two] = await Promise.all([alerts.acknowledge(raised!.id, 'ada'), alerts.acknowledge(raised!.id, 'bob')]);
  expect(one.acknowledgedBy).toBe(two.acknowledgedBy);
  await report(3);
  await judge(3);
  expect(await open()).toMatchObject([{ state: 'acknowledged', count: 3 }]);
  expect(await told()).toEqual(['firing pending']);
  // Too few rows to judge by are no sign of health.
  await report(4, { drifted: false, judged: false });
  await judge(4);
  expect(await open()).toHaveLength(1);
  await report(5, { drifted: false });
  await judge(5);
  expect(await open()).toEqual([]);
  expect(await told()).toEqual(['firing pending', 'resolved pending']);
  await expect(alerts.acknowledge(raised!.id, 'ada')).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('a silence keeps an alert from being told, not from being raised; afterwards it is told', async () => {
  retraining = undefined;
  const until = new Date(Date.now() + DAY_MS);
  const silence = await alerts.addSilence({ endpoint: name, kind: 'drift', until, comment: '', createdBy: 'ada' });
  await report(1);
  expect((await judge(1)).deliveries).toEqual([]);
  const [raised] = await open();
  expect((await alerts.get(raised!.id)).deliveries).toMatchObject([{ state: 'silenced', attempts: 0 }]);
  await report(2);
  expect((await judge(2)).deliveries).toEqual([]);
  await alerts.removeSilence(silence.id);
  await report(3);
  expect((await judge(3)).deliveries).toHaveLength(1);
  await report(4);
  expect((await judge(4)).deliveries).toEqual([]);
});

test('what is over is forgotten with the time; an open alert, and what was started, stay', async () => {
  const [past, future] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const silence = { endpoint: name, kind: null, comment: '', createdBy: 'ada' };
  await alerts.addSilence({ ...silence, until: new Date(Date.now() + 1000) });
  await alerts.addSilence({ ...silence, until: new Date(Date.now() + 2 * DAY_MS) });
  for (const sequence of [1, 2]) {
    await report(sequence);
    await judge(sequence);
  }
  await end(2, { state: 'failed', reason: 'no' });
  await report(3, { drifted: false });
  await judge(3);
  const all = async () =>
    (await alerts.list({ endpoint: name, limit: 9 })).items.map(({ kind, state }) => [kind, state]);
  const drift = ['drift', 'resolved'];
  const failed = ['retraining_failed', 'firing'];
  await alerts.dropBefore(past);
  await retrainings.dropSkippedBefore(past);
  expect(await all()).toEqual([failed, drift]);
  expect(await listed()).toMatchObject([{ sequence: 2 }, { sequence: 1, state: 'skipped' }]);
  await alerts.dropBefore(future);
  await retrainings.dropSkippedBefore(future);
  expect(await all()).toEqual([failed]);
  expect(await listed()).toMatchObject([{ sequence: 2, state: 'failed' }]);
  const [kept] = await connection.db.select().from(silences).where(eq(silences.endpoint, name));
  expect(kept!.until.getTime()).toBeGreaterThan(future.getTime());
});
