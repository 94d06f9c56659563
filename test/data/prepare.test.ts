import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareMatrices, type Prepared } from '../../data/prepare.ts';
import { readRawColumns, readRawRows, readTarget } from '../../data/raw-rows.ts';
import { encodeColumns } from '../../ml/feature-matrix.ts';
import { decodeMatrix } from '../../ml/matrix-file.ts';
import type { Matrix } from '../../ml/matrix.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { csv, limits, shopDefinition, shopRows, tableOf, type ShopRow } from './examples.ts';

interface Made extends Prepared {
  readonly folder: string;
  readonly train: Matrix;
  readonly validation: Matrix;
  readonly test: Matrix;
}

async function prepare(rows: readonly ShopRow[], definition: PipelineDefinition = shopDefinition()): Promise<Made> {
  const { folder, parquetPath } = await tableOf(csv(rows), definition);
  const made = await prepareMatrices({ definition, parquetPath, outDir: folder, duckdb: limits(folder) });
  const matrix = async (name: string) => decodeMatrix(await readFile(join(folder, `${name}.mat`)));
  return {
    ...made,
    folder,
    train: await matrix('train'),
    validation: await matrix('validation'),
    test: await matrix('test'),
  };
}

/** Rows of a matrix as text, without the out-of-fold codes that depend on the other rows. */
function keysOf(matrix: Matrix): string[] {
  const stable = ['age', 'income', 'member', 'income_per_year'].map((name) => matrix.columns.indexOf(name));
  return Array.from({ length: matrix.rows }, (_, row) =>
    [...stable.map((column) => matrix.data[column]![row]), matrix.target[row]].join(' '),
  );
}

const definition = shopDefinition();
const testRows = ({ folder }: Made) => join(folder, 'test-rows.parquet');

test('the matrices hold every row once, in shares near those asked for', async () => {
  const made = await prepare(shopRows(3000));
  const { rows, train, validation, test } = made;
  expect(train.columns).toEqual(['age', 'income', 'city', 'plan', 'member', 'income_per_year']);
  expect([train.rows, validation.rows, test.rows]).toEqual([rows.train, rows.validation, rows.test]);
  expect(rows.train + rows.validation + rows.test).toBe(3000);
  expect(Math.abs(rows.train / 3000 - 0.7)).toBeLessThan(0.04);
  expect(Math.abs(rows.test / 3000 - 0.15)).toBeLessThan(0.03);
  const expected = shopRows(3000).filter((row) => row['bought'] === 'yes').length;
  const positives = [train, validation, test].map(({ target }) => target.reduce((sum, y) => sum + y, 0));
  expect(positives.reduce((sum, count) => sum + count, 0)).toBe(expected);
  for (const [i, matrix] of [train, validation, test].entries()) {
    expect(Math.abs(positives[i]! / matrix.rows - expected / 3000)).toBeLessThan(0.06);
  }
});

test('a row stays in its split when others are appended or the order changes; another seed moves rows', async () => {
  const rows = shopRows(1500);
  const few = await prepare(rows.slice(0, 900));
  const many = await prepare([...rows].reverse());
  for (const name of ['train', 'validation', 'test'] as const) {
    const kept = new Set(keysOf(many[name]));
    expect(keysOf(few[name]).filter((key) => !kept.has(key))).toEqual([]);
  }
  const other = await prepare(rows.slice(0, 900), shopDefinition({ split: { seed: 2 } }));
  const inTest = new Set(keysOf(few.test));
  const moved = keysOf(other.train).filter((key) => inTest.has(key));
  expect(moved.length).toBeGreaterThan(20);
});

test('repeated rows never straddle two splits', async () => {
  const rows = shopRows(600).map((row, i) => ({ ...row, income: i }));
  const { train, validation, test } = await prepare([...rows, ...rows]);
  const inTrain = new Set(keysOf(train));
  expect([...keysOf(validation), ...keysOf(test)].filter((key) => inTrain.has(key))).toEqual([]);
});

test('encodings know nothing of the rows outside train', async () => {
  const rows = shopRows(900);
  const base = await prepare(rows);
  const trainCities = base.features.encodings.find(({ column }) => column === 'city')!.categories;
  expect([...trainCities].sort()).toEqual(['Bern', 'Graz', 'Lyon', 'Turin']);
  // Rows of a city of their own: where they fall into validation or test only, the encoding must not know the city.
  const strangers = rows.map((row, i) => ({ ...row, city: `only-${i}` }));
  const { features, train, test } = await prepare(strangers);
  const known = features.encodings.find(({ column }) => column === 'city')!.categories.length;
  expect(known).toBe(train.rows);
  const city = test.columns.indexOf('city');
  expect(test.data[city]!.every(Number.isNaN)).toBe(true);
});

test('a training row is not encoded with its own answer', async () => {
  const rows = shopRows(900).map((row, i) => ({ ...row, city: `only-${i}` }));
  const { train } = await prepare(rows);
  // Every city occurs once, so no other fold knows it.
  expect(train.data[train.columns.indexOf('city')]!.every(Number.isNaN)).toBe(true);
});

test('test-rows.parquet holds the raw rows of test.mat, in its order', async () => {
  const made = await prepare(shopRows(900));
  const { inputs } = made.features;
  const raw = await readRawColumns(testRows(made), inputs, limits(made.folder));
  const encoded = encodeColumns(made.features, raw);
  expect(encoded.map((values) => [...values])).toEqual(made.test.data.map((values) => [...values]));
  expect(await readTarget(testRows(made), definition.target, limits(made.folder))).toEqual(made.test.target);
  const rows = await readRawRows(testRows(made), inputs, limits(made.folder), 7);
  expect(rows).toHaveLength(7);
  expect(rows.map((row) => row['age'])).toEqual([...made.test.data[0]!.subarray(0, 7)]);
  expect(Object.values(rows[0]!).map((value) => typeof value)).toEqual([
    'number',
    'number',
    'string',
    'number',
    'boolean',
  ]);
});

test('golden rows are raw rows, some of them with missing values', async () => {
  const { golden } = await prepare(shopRows(900));
  expect(golden).toHaveLength(20);
  expect(golden.filter((row) => Object.values(row).includes(null))).toHaveLength(5);
  expect(Object.keys(golden[0]!)).toEqual(['age', 'income', 'city', 'plan', 'member']);
});

test('the reference profile is that of the train split', async () => {
  const { reference_profile: profile, train } = await prepare(shopRows(900));
  expect(profile.rows).toBe(train.rows);
  expect(profile.positive_rate).toBe(train.target.reduce((sum, y) => sum + y, 0) / train.rows);
  const income = train.data[train.columns.indexOf('income')]!;
  expect(profile.columns['income']).toMatchObject({ nulls: income.filter(Number.isNaN).length });
  expect(profile.columns['member']).toMatchObject({ type: 'boolean', count: train.rows, other: 0 });
  expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
});

test('the same table gives the same bytes', async () => {
  const first = await prepare(shopRows(900));
  const second = await prepare(shopRows(900));
  for (const file of ['train.mat', 'validation.mat', 'test.mat', 'test-rows.parquet']) {
    const [a, b] = await Promise.all([first, second].map(({ folder }) => readFile(join(folder, file))));
    expect(a!.equals(b!)).toBe(true);
  }
  expect(second.features).toEqual(first.features);
});

test('a split without one of the classes is refused', async () => {
  const rows = shopRows(40).map((row, i) => ({ ...row, bought: i === 0 ? 'yes' : 'no' }));
  await expect(prepare(rows)).rejects.toMatchObject({
    code: 'DATA_CONTRACT',
    details: [
      { path: 'bought', rule: 'classes_in_split' },
      { path: 'bought', rule: 'classes_in_split' },
    ],
  });
});

test('the negative class is the other one', async () => {
  expect((await prepare(shopRows(900))).features.negative_class).toBe('no');
});
