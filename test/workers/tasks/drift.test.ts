import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type {
  ComputedWindow,
  ComputeWindowInput,
  ReferenceProfile,
  WindowRow,
} from '../../../activities/drift-window.ts';
import type { ReferenceInput } from '../../../activities/monitoring.ts';
import { prepareMatrices } from '../../../data/prepare.ts';
import { openArtifactStore } from '../../../lib/artifact-store/open.ts';
import { loadConfig } from '../../../lib/config.ts';
import { quoteText, withDuckDb } from '../../../lib/duckdb.ts';
import { createThreadPool } from '../../../lib/thread-pool.ts';
import { compareSketches } from '../../../ml/drift/sketches/compare-sketches.ts';
import type { WindowReport } from '../../../ml/drift/window-report.ts';
import type { WindowSketches } from '../../../ml/drift/window-sketches.ts';
import { decodeMatrix } from '../../../ml/matrix-file.ts';
import type { ModelSignature } from '../../../ml/signature.ts';
import { trainCandidate } from '../../../ml/train.ts';
import { DriftPolicy } from '../../../pipelines/drift-policy.ts';
import { csv, limits, shopDefinition, shopRows, tableOf, type ShopRow } from '../../data/examples.ts';

/** The threads of a monitoring worker, a model version's reference, and what the threads left in the store. */
async function monitoring() {
  const definition = shopDefinition();
  const { folder, parquetPath } = await tableOf(csv(shopRows(9000)), definition);
  const prepared = await prepareMatrices({ definition, parquetPath, outDir: folder, duckdb: limits(folder) });
  const config = loadConfig({ ANNEAL_HOME: join(folder, 'home') });
  const store = openArtifactStore(config);
  const pool = createThreadPool(new URL('../../../workers/tasks/monitoring.ts', import.meta.url), 1, { config });
  onTestFinished(() => pool.close());
  const run = <T>(task: string, input: unknown) => pool.run<unknown, T>(task, input, { onAbort: 'abandon' });
  const json = async <T>(sha256: string) => JSON.parse(Buffer.from(await store.get(sha256)).toString()) as T;
  const put = async (value: unknown) => (await store.put(Buffer.from(JSON.stringify(value)))).sha256;
  const putFile = async (name: string) => (await store.putFile(join(folder, name))).sha256;

  const train = decodeMatrix(await readFile(join(folder, 'train.mat')));
  const spec = { l2: 1, class_weight: 'none' };
  const { model } = trainCandidate({ id: 'm', algorithm: 'logistic_regression', hyperparameters: spec }, train, null, {
    seed: 1,
  });
  const input: ReferenceInput = {
    model: await put(model),
    prepared: {
      ...{ train: '', validation: '', sample_rows: '', rows: prepared.rows },
      test: await putFile('test.mat'),
      test_rows: await putFile('test-rows.parquet'),
      features: await put(prepared.features),
      profile: await put(prepared.reference_profile),
    },
  };
  const signature: ModelSignature = {
    inputs: prepared.features.inputs,
    classes: { negative: 'no', positive: 'yes' },
    decision: { negative: 'KEEP', positive: 'CALL' },
    threshold: 0.5,
  };
  const profile = await json<ReferenceProfile>(await run<string>('buildReference', input));
  const file = async (sha256: string, name: string) => {
    await store.getFile(sha256, join(folder, name));
    return join(folder, name);
  };
  const query = (sql: string) => withDuckDb(limits(folder), (db) => db.rows(sql));
  return { folder, run, json, file, query, signature, profile, testRows: prepared.rows.test };
}

const windowRow = ({ bought: _, ...features }: ShopRow, index: number): WindowRow => ({
  id: `01a1ff8d-22bf-784f-bfe5-${String(index).padStart(12, '0')}`,
  created_at: new Date(Date.UTC(2026, 10, 21) + 1000 * index).toISOString(),
  features,
  probability: features.member ? 0.7 : 0.3,
  label: features.member ? 'yes' : 'no',
  decision: features.member ? 'CALL' : 'KEEP',
});

type Shop = Awaited<ReturnType<typeof monitoring>>;
async function compute(shop: Shop, rows: readonly ShopRow[], changes: Partial<ComputeWindowInput> = {}) {
  const rows_file = join(shop.folder, 'rows.ndjson');
  await writeFile(rows_file, rows.map((row, index) => `${JSON.stringify(windowRow(row, index))}\n`).join(''));
  const at = '2026-11-21T00:00:00.000Z';
  const input: ComputeWindowInput = {
    ...{ endpoint: 'shop', sequence: 3, model: { name: 'shop', version: 2 }, signature: shop.signature },
    ...{ drift: DriftPolicy.parse({}), reference: shop.profile.sample!, calibrated: true, rows_file },
    window: { rows: rows.length, first_at: at, last_at: at, closed_at: at },
    ...changes,
  };
  return await shop.run<ComputedWindow>('computeWindow', input);
}
const driftedIn = ({ columns }: Pick<ComputedWindow, 'columns'>) =>
  columns.filter(({ drifted }) => drifted).map(({ column }) => column);

test('the reference of a version keeps its test rows with the very probabilities, and says whether they are calibrated', async () => {
  const { profile, file, query, testRows } = await monitoring();
  expect(profile.estimate?.calibrated).toBe(true);
  expect(profile.estimate!.expected_calibration_error).toBeLessThan(0.05);
  expect(profile.sample!.rows).toBe(testRows);
  const sample = quoteText(await file(profile.sample!.sha256, 'sample.parquet'));
  const [found] = await query(`SELECT count(*) AS n, min(probability) > 0 AND max(probability) < 1 AS shares,
    avg(probability) FILTER (label = 'yes') > avg(probability) FILTER (label = 'no') AS ranks,
    count(DISTINCT label) AS labels FROM ${sample}`);
  expect(found).toEqual({ n: String(testRows), shares: true, ranks: true, labels: '2' });
  expect((await query(`DESCRIBE FROM ${sample}`)).map((row) => row.column_name)).toEqual([
    'age',
    'income',
    'city',
    'plan',
    'member',
    'probability',
    'label',
  ]);
});

test('a window that is like the reference has not drifted; the column that changes is found; a repeat changes no byte', async () => {
  const shop = await monitoring();
  const rows = shopRows(1000, 7);
  const like = await compute(shop, rows);
  expect(like).toMatchObject({ judged: true, drifted: false });
  expect(driftedIn(like)).toEqual(['prediction']); // these have two probabilities only
  expect(await compute(shop, rows)).toEqual(like);

  const changed = rows.map((row): ShopRow => ({
    ...row,
    age: Number(row.age) + 20,
    city: row.city === 'Graz' ? 'Oslo' : row.city!,
  }));
  const found = await compute(shop, changed, {
    history: [{ sequence: 2, closed_at: '2026-11-20T00:00:00.000Z', columns: {} }],
  });
  expect(driftedIn(found)).toEqual(['age', 'city', 'prediction']);
  expect(found).toMatchObject({ drifted: false, drifted_share: 2 / 5, prediction_drifted: true });
  expect(found.columns.find(({ column }) => column === 'city')!.new_categories.values).toEqual(['Oslo']);
  expect(found.columns.every((column) => !('distribution' in column))).toBe(true);

  const report = await shop.json<WindowReport>(found.report_sha256);
  expect(report).toMatchObject({ endpoint: 'shop', sequence: 3, model: 'shop', version: 2, rows: { current: 1000 } });
  expect(report.history).toHaveLength(1);
  expect(report.columns.map(({ distribution: _, ...column }) => column)).toEqual(found.columns);
  expect(await readFile(await shop.file(found.page_sha256, 'page.html'), 'utf8')).toContain('Oslo');
  const archive = quoteText(await shop.file(found.archive_sha256, 'archive.parquet'));
  expect(await shop.query(`SELECT count(*) AS n, count(DISTINCT id) AS ids FROM ${archive}`)).toEqual([
    { n: '1000', ids: '1000' },
  ]);
});

test('the sketches of two windows, added up, say what a window of both would', async () => {
  const shop = await monitoring();
  const rows = shopRows(2000, 7).map((row): ShopRow => ({ ...row, age: Number(row.age) + 5 }));
  const sketches = async (part: readonly ShopRow[]) =>
    await shop.json<WindowSketches>((await compute(shop, part)).sketches_sha256);
  const [first, second] = [await sketches(rows.slice(0, 800)), await sketches(rows.slice(800))];
  const whole = await compute(shop, rows);
  for (const [index, { column, role, reference, current }] of first.columns.entries()) {
    const both = { reference: first.rows.reference, current: first.rows.current + second.rows.current };
    const options = { column, role, settings: first.settings, rows: both };
    const added = compareSketches(reference, [current, second.columns[index]!.current], options);
    const { method, drifted, score } = whole.columns.find((found) => found.column === column)!;
    expect(added).toMatchObject({ method, drifted });
    expect(Math.abs(added.score! - score!), column).toBeLessThan(0.01);
  }
  expect(first.columns).toHaveLength(6);
});

test('performance is estimated only for a calibrated model', async () => {
  const shop = await monitoring();
  const rows = shopRows(500, 3);
  const { estimate } = await compute(shop, rows);
  expect(estimate!.accuracy).toBeCloseTo(0.7, 10);
  expect(await compute(shop, rows, { calibrated: false })).toMatchObject({ estimate: null });
});

test('a file of the own stands for the reference: columns it lacks are skipped, others read in the types of the model', async () => {
  const shop = await monitoring();
  const path = join(shop.folder, 'own.parquet');
  await shop.query(`COPY (SELECT (i % 90)::VARCHAR AS age, (1 + i % 3)::DOUBLE AS plan, [i] AS city, if(i % 5 < 2, 1, 0) AS member
    FROM range(3000) t(i)) TO ${quoteText(path)} (FORMAT parquet)`);
  const found = await compute(shop, shopRows(1000, 7), { reference: { path } });
  expect(found.columns.map(({ column }) => column)).toEqual(['age', 'plan', 'member']);
  expect(driftedIn(found)).toEqual([]);
  expect(found).toMatchObject({ prediction_drifted: false, estimate: { accuracy: expect.closeTo(0.7, 10) as number } });
  const absent = compute(shop, shopRows(10), { reference: { path: `${path}.gone` } });
  await expect(absent).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'REFERENCE_DATA_PATH', rule: 'file' }],
  });
  await writeFile(path, 'no table');
  const damaged = compute(shop, shopRows(10), { reference: { path } });
  await expect(damaged).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'REFERENCE_DATA_PATH', rule: 'parquet' }],
  });
});

test('a window with fewer rows than the policy wants is described, not judged', async () => {
  const shop = await monitoring();
  const found = await compute(
    shop,
    shopRows(50, 7).map((row) => ({ ...row, age: 1000 })),
  );
  expect(found).toMatchObject({ judged: false, drifted: false, prediction_drifted: false });
  expect(found.columns[0]).toMatchObject({ column: 'age', score: null, out_of_range: 1 });
});
