import { expect, test } from 'vitest';
import type { ColumnValues } from '../../../ml/drift/column-values.ts';
import { compareColumn, type CompareOptions } from '../../../ml/drift/compare.ts';
import {
  DRIFT_METHODS,
  type ColumnDrift,
  type DriftMethod,
  type DriftSettings,
} from '../../../ml/drift/drift-report.ts';
import { prepareColumn } from '../../../ml/drift/prepared-column.ts';
import { createRandom } from '../../../ml/random.ts';
import { categories, normals, numbers } from './samples.ts';
import { driftSettings } from './settings.ts';

const random = createRandom(5);
const LETTERS = ['a', 'b', 'c', 'd'];

function compare(reference: ColumnValues, current: ColumnValues, changes: Partial<DriftSettings> = {}): ColumnDrift {
  const rows = { reference: rowsOf(reference), current: rowsOf(current) };
  return compareColumn(reference, current, { column: 'x', role: 'feature', settings: driftSettings(changes), rows });
}

const rowsOf = (column: ColumnValues) => (column.type === 'numeric' ? column.values : column.codes).length;
const by = (method: DriftMethod | undefined, threshold?: number) => ({ columns: { x: { method, threshold } } });

const NUMBERS: Record<string, ColumnValues> = {
  empty: numbers(0, () => 0),
  'all null': numbers(50, () => NaN),
  'one value': numbers(1, () => 3),
  constant: numbers(50, () => 3),
  'another constant': numbers(50, () => -1e9),
  infinite: numbers(50, () => Infinity),
  'the greatest numbers': numbers(50, () => (random() < 0.5 ? -1 : 1) * Number.MAX_VALUE),
  'great numbers': numbers(50, () => (random() - 0.5) * 2e150),
  'the least numbers': numbers(50, () => (random() < 0.5 ? 0 : 1) * Number.MIN_VALUE),
  'neighbouring numbers': numbers(50, () => 1e16 + 2 * Math.floor(random() * 40)),
  normal: normals(random, 300),
};

const CATEGORIES: Record<string, ColumnValues> = {
  empty: categories(LETTERS, []),
  'no category known': categories([], [null, null]),
  'all null': categories(LETTERS, [null, null, null]),
  'one row': categories(LETTERS, ['b']),
  constant: categories(LETTERS, ['a', 'a', 'a']),
  'new category': categories(LETTERS, ['d', 'd', 'a']),
  some: categories(LETTERS, ['a', 'b', 'b', null, 'c']),
};

const pairs = (columns: Record<string, ColumnValues>) =>
  Object.entries(columns).flatMap(([a, reference]) =>
    Object.entries(columns).map(([b, current]) => ({ a, b, reference, current })),
  );

test('empty, all-null, constant, new-category and extreme columns beside each other: finite numbers from every method', () => {
  for (const { a, b, reference, current } of [...pairs(NUMBERS), ...pairs(CATEGORIES)])
    for (const method of [undefined, ...DRIFT_METHODS]) {
      if (reference.type === 'categorical' && (method === 'ks' || method === 'wasserstein')) continue;
      const found = compare(reference, current, by(method));
      // JSON turns what is not finite into null.
      expect(JSON.parse(JSON.stringify(found)), `${a} beside ${b}: ${method}`).toEqual(found);
    }
});

test('p-values and distances of extreme columns stay in their range', () => {
  for (const { reference, current } of pairs(NUMBERS))
    for (const method of DRIFT_METHODS) {
      const { score } = compare(reference, current, by(method));
      if (score === null) continue;
      expect(score).toBeGreaterThanOrEqual(0);
      if (['ks', 'chi_squared', 'z_test', 'hellinger', 'total_variation'].includes(method))
        expect(score).toBeLessThanOrEqual(1 + 1e-12);
    }
});

test('a column that loses all its values has drifted, without a score; so has one that gains them', () => {
  const lost = compare(
    normals(random, 200),
    numbers(150, () => NaN),
  );
  expect(lost).toMatchObject({ score: null, drifted: true, missing: { reference: 0, current: 1 } });
  expect(lost.mean.current).toBeNull();
  expect(
    compare(
      numbers(150, () => NaN),
      normals(random, 200),
    ),
  ).toMatchObject({ score: null, drifted: true });
  expect(
    compare(
      numbers(150, () => NaN),
      numbers(90, () => NaN),
    ),
  ).toMatchObject({ score: null, drifted: false });
});

test('a window with fewer rows than min_rows is described, not judged', () => {
  const found = compare(
    numbers(500, () => 0),
    numbers(99, () => 7),
    { min_rows: 100 },
  );
  expect(found).toMatchObject({ score: null, drifted: false, mean: { reference: 0, current: 7 }, out_of_range: 1 });
  expect(
    compare(
      numbers(500, () => 0),
      numbers(100, () => 7),
      { min_rows: 100 },
    ).drifted,
  ).toBe(true);
});

test('new categories are named, the most frequent first, with the share of rows that have any', () => {
  const reference = categories(LETTERS, ['a', 'b', 'a', 'b']);
  const current = categories(LETTERS, ['d', 'a', 'c', 'd', null, null, 'b', 'a']);
  expect(compare(reference, current)).toMatchObject({
    new_categories: { values: ['d', 'c'], share: 3 / 8 },
    missing: { reference: 0, current: 2 / 8 },
    distribution: { categories: LETTERS, reference: [2, 2, 0, 0], current: [2, 1, 1, 2] },
  });
});

test('samples that number their categories differently are compared by name', () => {
  const reference = categories(['a', 'b'], ['a', 'a', 'b']);
  expect(compare(reference, categories(['z', 'b', 'a'], ['a', 'b', 'a'])).distribution).toEqual({
    categories: ['a', 'b'],
    reference: [2, 1],
    current: [2, 1],
  });
});

test('rows outside the range of the reference are counted over all rows', () => {
  const reference = numbers(11, () => 0);
  reference.values.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NaN]);
  const current: ColumnValues = { type: 'numeric', values: Float64Array.of(0, 1, 10, 11, 12, NaN, 5, 5) };
  expect(compare(reference, current)).toMatchObject({
    out_of_range: 3 / 8,
    missing: { reference: 1 / 11, current: 1 / 8 },
  });
});

test('method and threshold are replaced by column', () => {
  const [reference, current] = [normals(random, 2000), normals(random, 2000, 0.3)];
  expect(compare(reference, current)).toMatchObject({ method: 'wasserstein', threshold: 0.1, drifted: true });
  expect(compare(reference, current, by('psi', 0.5))).toMatchObject({ method: 'psi', threshold: 0.5, drifted: false });
  expect(compare(reference, current, by('ks', 1e-300))).toMatchObject({ method: 'ks', drifted: false });
});

test('a distance at the threshold has drifted, a p-value at it has not', () => {
  const [reference, current] = [categories(LETTERS, ['a', 'b']), categories(LETTERS, ['a', 'b', 'b', 'b'])];
  expect(compare(reference, current, by('total_variation', 0.25))).toMatchObject({ score: 0.25, drifted: true });
  const { score } = compare(reference, current, by('z_test'));
  expect(compare(reference, current, by('z_test', score!)).drifted).toBe(false);
});

test('a column that is categorical here and numeric there, or has a method for numbers, is an error that names it', () => {
  expect(() => compare(normals(random, 9), categories(LETTERS, ['a']))).toThrow(
    "column 'x' is numeric in the reference, but categorical in the window",
  );
  expect(() => compare(categories(LETTERS, ['a']), categories(LETTERS, ['a']), by('wasserstein'))).toThrow(
    "column 'x': wasserstein compares numbers",
  );
});

test('a prepared reference serves many windows and answers as the column itself', () => {
  const reference = normals(random, 1500);
  const prepared = prepareColumn(reference);
  const options: CompareOptions = {
    column: 'x',
    role: 'feature',
    settings: driftSettings(),
    rows: { reference: 1500, current: 400 },
  };
  for (const shift of [0, 0.2, 1]) {
    const window = normals(random, 400, shift);
    const before = window.values.slice();
    expect(compareColumn(prepared, window, options)).toEqual(compareColumn(reference, window, options));
    expect(window.values).toEqual(before);
  }
});

test('of many categories a chart gets the frequent ones and the others as one', () => {
  const names = Array.from({ length: 80 }, (_, i) => `c${i}`);
  const many = categories(
    names,
    names.flatMap((name, i) => Array<string>(i + 1).fill(name)),
  );
  const { distribution } = compare(many, many);
  if (!('categories' in distribution)) throw new Error('categories have no edges');
  expect(distribution.categories).toHaveLength(50);
  expect(distribution.categories[0]).toBe('c79');
  expect(distribution.categories.at(-1)).toBe('(31 others)');
  expect(distribution.reference.reduce((sum, count) => sum + count)).toBe((80 * 81) / 2);
});
