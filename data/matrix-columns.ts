import type { DuckDb } from '../lib/duckdb.ts';
import { columnsOf } from '../ml/expression/expression.ts';
import { encodeColumns, isCategorical, parseDerived, type FeaturePlan } from '../ml/feature-matrix.ts';
import type { CategoricalEncoding, InputColumn } from '../ml/features.ts';
import { fitTargetEncoding, outOfFoldCodes, randomFolds } from '../ml/target-encoding.ts';
import type { MatrixWriter } from './matrix-writer.ts';
import { categoryProfile, numericProfile, type CategoryProfile, type ColumnProfile } from './profile.ts';
import type { SplitTable } from './split-table.ts';
import { scatter } from './split.ts';
import { eachColumn, readNumbers, type ColumnRead } from './typed-columns.ts';

/** Fixed, so that the same table always gives the same matrices. */
const FOLD_SEED = 1;

interface WrittenColumns {
  readonly encodings: CategoricalEncoding[];
  /** Of the train split, by feature. */
  readonly profile: Record<string, ColumnProfile>;
}
interface Context {
  readonly db: DuckDb;
  readonly table: SplitTable;
  readonly writers: readonly MatrixWriter[];
  /** An array per split, overwritten by every column. */
  readonly parts: readonly Float32Array[];
  readonly folds: Uint8Array;
}

/** Writes every column and the target of the three matrices, a column at a time. */
export async function writeMatrixColumns(
  db: DuckDb,
  table: SplitTable,
  plan: FeaturePlan,
  writers: readonly MatrixWriter[],
): Promise<WrittenColumns> {
  const parts = table.sizes.map((size) => new Float32Array(size));
  const context = { db, table, writers, parts, folds: randomFolds(table.sizes[0]!, FOLD_SEED) };
  const encodings: CategoricalEncoding[] = [];
  const profile: Record<string, ColumnProfile> = {};
  const reads = plan.inputs.map((input): ColumnRead =>
    isCategorical(input) ? { codes: table.dictionaries.get(input.name)! } : { numbers: input },
  );
  const values = eachColumn(db, table, reads);
  for (const [index, input] of plan.inputs.entries()) {
    const column = (await values.next()).value as Float32Array | Int32Array;
    if (!isCategorical(input)) profile[input.name] = await writeNumbers(context, input, index, column as Float32Array);
    else {
      const written = await writeCategories(context, input, index, column as Int32Array);
      encodings.push(written.encoding);
      profile[input.name] = written.profile;
    }
  }
  await writeDerived(context, plan);
  await Promise.all(writers.map((writer, split) => writer.writeTarget(table.targets[split]!)));
  return { encodings, profile };
}

async function writeNumbers(
  context: Context,
  input: InputColumn,
  index: number,
  values: Float32Array,
): Promise<ColumnProfile> {
  const { table, parts } = context;
  scatter(values, table.splits, parts);
  await write(context, index, parts);
  return input.type === 'boolean' ? booleanProfile(parts[0]!) : numericProfile(parts[0]!);
}

async function writeCategories(context: Context, input: InputColumn, index: number, codes: Int32Array) {
  const { table, parts, folds } = context;
  const dictionary = table.dictionaries.get(input.name)!;
  const categories = input.type === 'categorical_integer' ? dictionary.values.map(Number) : dictionary.values;
  const splitCodes = parts.map((part) => new Int32Array(part.buffer));
  scatter(codes, table.splits, splitCodes);
  const train = { column: input.name, categories, codes: splitCodes[0]! };
  const target = table.targets[0]!;
  const encoding = fitTargetEncoding(train, target);
  const features = { inputs: [input], encodings: [encoding], derived: [] };
  const encoded = splitCodes.map((part, split) =>
    split === 0
      ? outOfFoldCodes(train, target, folds)
      : encodeColumns(features, { rows: part.length, columns: { [input.name]: { codes: part, categories } } })[0]!,
  );
  await write(context, index, encoded);
  return { encoding, profile: codesProfile(input.type as CategoryProfile['type'], categories, train.codes) };
}

async function writeDerived(context: Context, plan: FeaturePlan): Promise<void> {
  const { db, table, parts } = context;
  for (const [index, { name, expression }] of parseDerived(plan).entries()) {
    const needed = new Set(columnsOf(expression));
    const inputs = plan.inputs.filter((input) => needed.has(input.name));
    const columns: Record<string, Float32Array> = {};
    for (const input of inputs) {
      columns[input.name] = new Float32Array(table.rows);
      await readNumbers(db, table.parquet, input, columns[input.name]!);
    }
    const derived = plan.derived.filter((feature) => feature.name === name);
    const values = encodeColumns({ inputs, derived, encodings: [] }, { rows: table.rows, columns }).at(-1)!;
    scatter(values, table.splits, parts);
    await write(context, plan.inputs.length + index, parts);
  }
}

const write = ({ writers }: Context, column: number, values: readonly Float32Array[]) =>
  Promise.all(writers.map((writer, split) => writer.writeColumn(column, values[split]!)));

function booleanProfile(values: Float32Array): ColumnProfile {
  const counts = [0, 0];
  for (const value of values) if (value === value) counts[value]!++;
  return categoryProfile('boolean', [false, true], counts, values.length - counts[0]! - counts[1]!);
}

function codesProfile(
  type: CategoryProfile['type'],
  categories: readonly (string | number)[],
  codes: Int32Array,
): ColumnProfile {
  const counts = new Float64Array(categories.length);
  let nulls = 0;
  for (const code of codes) {
    if (code < 0) nulls++;
    else counts[code]!++;
  }
  return categoryProfile(type, categories, counts, nulls);
}
