import { encodeColumns, type DictionaryColumn, type RawColumns } from '../../../ml/feature-matrix.ts';
import { matrixColumns, type FittedFeatures, type InputColumn } from '../../../ml/features.ts';
import type { Matrix } from '../../../ml/matrix.ts';
import type { BoostedTrees, LinearModel, TrainedModel, Tree } from '../../../ml/model.ts';
import { createRandom, normal, type Random } from '../../../ml/random.ts';
import type { ModelSignature, RawRow } from '../../../ml/signature.ts';
import { trainCandidate, type CandidateSpec } from '../../../ml/train.ts';

const inputs: InputColumn[] = [
  { name: 'charges', type: 'numeric', nullable: true },
  { name: 'calls', type: 'numeric', nullable: true },
  { name: 'plan', type: 'categorical_string', nullable: true },
  { name: 'region', type: 'categorical_integer', nullable: true },
  { name: 'active', type: 'boolean', nullable: true },
  { name: 'unused', type: 'categorical_string', nullable: true },
];

/** Every kind of input, and derived features that divide by zero and take logs of negative numbers. */
export const features: FittedFeatures = {
  inputs,
  encodings: [
    { column: 'plan', categories: ['basic', 'größer 日本', 'pro'], codes: [-0.5, Math.fround(0.3), 1.25] },
    { column: 'region', categories: [-3, 0, 9_007_199_254_740_991], codes: [0.5, Math.fround(-0.1), -1] },
    // No category of it was in the training split.
    { column: 'unused', categories: [], codes: [] },
  ],
  derived: [
    { name: 'per_call', expression: 'charges / calls' },
    { name: 'logs', expression: 'log(charges) + log1p(calls) - exp(-calls)' },
    { name: 'step', expression: 'bucket(charges / calls, -1, 0, 0.5, 2) * coalesce(active, 0.5)' },
    { name: 'extremes', expression: 'max(1 / calls, min(charges, active))' },
  ],
};

export const signature: ModelSignature = {
  inputs,
  classes: { negative: 'no', positive: 'yes' },
  decision: { positive: 'REJECT', negative: 'ACCEPT' },
  threshold: Math.fround(0.37),
};

/** Rows with missing values, unknown categories, zeros to divide by and values on the thresholds of {@link trees}. */
export function sampleRows(count: number, seed: number): RawRow[] {
  const random = createRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const number = () =>
    random() < 0.1 ? null : pick([0, 1, -1, Math.fround(normal(random)), Math.fround(20 * random())]);
  return Array.from({ length: count }, () => ({
    charges: number(),
    calls: number(),
    plan: pick(['basic', 'größer 日本', 'pro', 'never seen', null]),
    region: pick([-3, 0, 9_007_199_254_740_991, 17, null]),
    active: pick([true, false, null]),
    unused: pick(['x', null]),
  }));
}

/** What our own code makes of raw rows. */
export function matrixOf(fitted: FittedFeatures, rows: readonly RawRow[]): Matrix {
  const columns = fitted.inputs.map(
    ({ name, type }) =>
      [
        name,
        rawColumn(
          type,
          rows.map((row) => row[name]!),
        ),
      ] as const,
  );
  const raw: RawColumns = { rows: rows.length, columns: Object.fromEntries(columns) };
  return {
    columns: matrixColumns(fitted),
    rows: rows.length,
    data: encodeColumns(fitted, raw),
    target: new Uint8Array(rows.length),
  };
}

function rawColumn(type: InputColumn['type'], values: RawRow[string][]): Float32Array | DictionaryColumn {
  if (type === 'numeric' || type === 'boolean')
    return Float32Array.from(values, (value) => (value === null ? NaN : Number(value)));
  const categories = [...new Set(values.filter((value) => value !== null))] as (string | number)[];
  const codes = new Map<unknown, number>(categories.map((category, code) => [category, code]));
  return { categories, codes: Int32Array.from(values, (value) => codes.get(value) ?? -1) };
}

/** Random trees of up to 31 leaves; every seventh is a single leaf. */
export function trees(count: number, seed: number, columns = matrixColumns(features)): BoostedTrees {
  const random = createRandom(seed);
  const grown = Array.from({ length: count }, (_, index) => growTree(random, columns.length, index % 7 === 3 ? 0 : 5));
  return { kind: 'gradient_boosting', columns, init: -0.4, trees: grown };
}

function growTree(random: Random, columns: number, depth: number): Tree {
  const [feature, threshold, left, right, missing_left, value, cover] = [[], [], [], [], [], [], []] as number[][] as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const add = (below: number): number => {
    const isLeaf = below === 0 || (below < 4 && random() < 0.2);
    const node = feature.push(isLeaf ? -1 : Math.floor(random() * columns)) - 1;
    threshold.push(isLeaf ? 0 : random() < 0.3 ? Math.round(normal(random)) : Math.fround(normal(random)));
    missing_left.push(isLeaf || random() < 0.5 ? 0 : 1);
    value.push(isLeaf ? Math.fround(0.1 * normal(random)) : 0);
    cover.push(1);
    left[node] = right[node] = -1;
    if (!isLeaf) [left[node], right[node]] = [add(below - 1), add(below - 1)];
    return node;
  };
  add(depth);
  return { feature, threshold, left, right, missing_left, value, cover };
}

/** A linear model over the columns of {@link features}. */
export function linear(seed: number): LinearModel {
  const random = createRandom(seed);
  const columns = matrixColumns(features);
  const draw = () => columns.map(() => normal(random));
  return {
    kind: 'logistic_regression',
    columns,
    impute: draw(),
    mean: draw(),
    scale: draw().map((x) => 0.5 + Math.abs(x)),
    coefficients: draw().map((x) => 0.4 * x),
    missing: [
      { column: 0, coefficient: 0.7 },
      { column: 3, coefficient: -0.9 },
    ],
    intercept: 0.2,
  };
}

/** What our own trainers make of {@link sampleRows}. */
export function trained(algorithm: CandidateSpec['algorithm'], seed: number): TrainedModel {
  const random = createRandom(seed);
  const matrix = matrixOf(features, sampleRows(3000, seed));
  const [charges, , plan] = matrix.data;
  const risk = (row: number) => (Number.isNaN(charges![row]) ? 1 : charges![row]!) * (plan![row]! > 0 ? -1 : 1);
  const target = matrix.target.map((_, row) => (risk(row) + normal(random) > 0 ? 1 : 0));
  const boosting = { trees: 60, learning_rate: 0.2, max_leaves: 31, min_rows_per_leaf: 5, early_stopping_rounds: 60 };
  const hyperparameters = { ...boosting, l2: 1, class_weight: 'none' };
  return trainCandidate({ id: 'c', algorithm, hyperparameters }, { ...matrix, target }, null, { seed }).model;
}
