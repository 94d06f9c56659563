import { trainGradientBoosting } from '../../ml/boosting/train.ts';
import type { BoostedTrees, Tree } from '../../ml/model.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { createRandom, normal, type Random } from '../../ml/random.ts';
import type { ModelSignature } from '../../ml/signature.ts';

const NUMBERS = Array.from({ length: 17 }, (_, index) => `x${index}`);
const TEXTS = ['c0', 'c1', 'c2'];
const CATEGORIES = Array.from({ length: 13 }, (_, index) => `cat${index}`);

/** Of every model here, in the order of its signature. */
export const COLUMNS = [...NUMBERS, ...TEXTS];
export function isText(column: string): boolean {
  return TEXTS.includes(column);
}
export const SIGNATURE: ModelSignature = {
  inputs: COLUMNS.map((name) => ({ name, type: isText(name) ? 'categorical_string' : 'numeric', nullable: true })),
  classes: { negative: 'no', positive: 'yes' },
  decision: { negative: 'REJECT', positive: 'ACCEPT' },
  threshold: 0.5,
};
export type FeatureRow = Readonly<Record<string, number | string>>;

/** Rows that every server can read: nothing is missing, and each number has three decimals. */
export function benchRows(count: number, seed: number): FeatureRow[] {
  const random = createRandom(seed);
  const row = () => [
    ...NUMBERS.map((name) => [name, Math.round(normal(random) * 1000) / 1000] as const),
    ...TEXTS.map((name) => [name, CATEGORIES[categoryOf(random)]!] as const),
  ];
  return Array.from({ length: count }, () => Object.fromEntries<number | string>(row()));
}

/** An ordinary model: 100 trees of 31 leaves, trained on 20,000 rows. */
export const lightModel = (): Uint8Array => write(train(20_000, 100, 0.1));

/**
 * A model of 28,000 trees, over 5 ms for one row: 2,000 trained ones fourteen times over, each with a fourteenth of its
 * effect. The answers of 2,000, fourteen times the work, without minutes of training.
 */
export function heavyModel(): Uint8Array {
  const COPIES = 14;
  const model = train(2_000, 2_000, 0.01);
  const part = (tree: Tree): Tree => ({ ...tree, value: tree.value.map((value) => Math.fround(value / COPIES)) });
  const parts = model.trees.map(part);
  return write({ ...model, trees: Array.from({ length: COPIES }, () => parts).flat() });
}

const categoryOf = (random: Random) => Math.min(CATEGORIES.length - 1, Math.floor(random() * CATEGORIES.length));
const codeOf = (category: number) => Math.fround((category - 6) / 5);

function train(rows: number, trees: number, learning_rate: number): BoostedTrees {
  const random = createRandom(11);
  const data = [
    ...NUMBERS.map(() => Float32Array.from({ length: rows }, () => normal(random))),
    ...TEXTS.map(() => Float32Array.from({ length: rows }, () => codeOf(categoryOf(random)))),
  ];
  const logOdds = (row: number) => {
    const x = (column: number) => data[column]![row]!;
    return x(0) + 0.5 * x(1) * x(2) + 0.4 * Math.sin(2 * x(3)) + 0.8 * x(17) - 0.5 * x(18);
  };
  const target = Uint8Array.from({ length: rows }, (_, row) => (random() < 1 / (1 + Math.exp(-logOdds(row))) ? 1 : 0));
  const params = { trees, learning_rate, max_leaves: 31, min_rows_per_leaf: 20, l2: 1 };
  const all = { ...params, class_weight: 'none' as const, early_stopping_rounds: trees };
  return trainGradientBoosting({ columns: COLUMNS, rows, data, target }, null, all, { seed: 1 }).model as BoostedTrees;
}

function write(model: BoostedTrees): Uint8Array {
  const codes = CATEGORIES.map((_, category) => codeOf(category));
  const encodings = TEXTS.map((column) => ({ column, categories: CATEGORIES, codes }));
  const features = { inputs: SIGNATURE.inputs, encodings, derived: [] };
  return writeOnnx({ model, features, signature: SIGNATURE, metadata: {} });
}
