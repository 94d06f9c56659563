import { evaluateExpression } from './expression/evaluate.ts';
import { columnsOf, type Expression } from './expression/expression.ts';
import { parseExpression } from './expression/parse.ts';
import type { CategoricalEncoding, FittedFeatures, InputColumn } from './features.ts';

/** Dictionary-encoded categories: `codes` index `categories`, −1 is missing. */
export interface DictionaryColumn {
  readonly codes: Int32Array;
  readonly categories: readonly (string | number)[];
}
/** Numbers, and booleans as 0/1, are float32 with NaN for missing; categoricals come with their dictionary. */
export type RawColumn = Float32Array | DictionaryColumn;
export interface RawColumns {
  readonly rows: number;
  readonly columns: Readonly<Record<string, RawColumn>>;
}

/** What a pipeline declares, before anything is learned. */
export type FeaturePlan = Pick<FittedFeatures, 'inputs' | 'derived'>;

/**
 * Matrix columns of raw rows, in the order of `matrixColumns`; exactly what the ONNX file computes. Unknown and missing
 * categories become NaN. Numeric columns are passed on, not copied.
 * @throws RangeError that names the column when one is absent or of the wrong kind
 */
export function encodeColumns(features: FittedFeatures, raw: RawColumns): Float32Array[] {
  const inputs = features.inputs.map((input) =>
    isCategorical(input)
      ? encodeCategories(encodingOf(features, input.name), dictionary(raw, input.name))
      : numeric(raw, input.name),
  );
  return [...inputs, ...derive(features, raw)];
}

/** The code of every row's category; NaN where it is missing or unknown to the encoding. */
export function encodeCategories(encoding: CategoricalEncoding, { codes, categories }: DictionaryColumn): Float32Array {
  const known = new Map(encoding.categories.map((category, index) => [category, encoding.codes[index]!]));
  const table = Float32Array.from(categories, (category) => known.get(category) ?? NaN);
  const encoded = new Float32Array(codes.length);
  for (let row = 0; row < codes.length; row++) encoded[row] = codes[row]! < 0 ? NaN : table[codes[row]!]!;
  return encoded;
}

/**
 * The derived features, parsed and checked against the inputs they may read.
 * @throws RangeError that names the derived feature and the rule
 */
export function parseDerived(plan: FeaturePlan): { name: string; expression: Expression }[] {
  const readable = new Set(plan.inputs.filter((input) => !isCategorical(input)).map((input) => input.name));
  return plan.derived.map(({ name, expression: text }) => {
    const expression = parseNamed(name, text);
    const columns = columnsOf(expression);
    if (columns.length === 0) throw new RangeError(`derived feature '${name}': reads no feature, so it is a constant`);
    const other = columns.find((column) => !readable.has(column));
    if (other !== undefined)
      throw new RangeError(`derived feature '${name}': '${other}' is no numeric or boolean feature`);
    return { name, expression };
  });
}

/** The encoding of a categorical input. @throws RangeError when there is none */
export function encodingOf(features: FittedFeatures, column: string): CategoricalEncoding {
  const encoding = features.encodings.find((candidate) => candidate.column === column);
  if (!encoding) throw new RangeError(`categorical feature '${column}' has no encoding`);
  return encoding;
}

export const isCategorical = ({ type }: InputColumn) => type === 'categorical_string' || type === 'categorical_integer';

function parseNamed(name: string, text: string): Expression {
  try {
    return parseExpression(text);
  } catch (cause) {
    throw new RangeError(`derived feature '${name}': ${(cause as Error).message}`, { cause });
  }
}

function derive(plan: FeaturePlan, raw: RawColumns): Float32Array[] {
  return parseDerived(plan).map(({ expression }) => {
    const columns = columnsOf(expression).map((name) => [name, numeric(raw, name)] as const);
    return evaluateExpression(expression, Object.fromEntries(columns), raw.rows);
  });
}

function numeric(raw: RawColumns, name: string): Float32Array {
  const column = columnOf(raw, name);
  if (!(column instanceof Float32Array)) throw new RangeError(`column '${name}' must be numbers, not categories`);
  if (column.length !== raw.rows)
    throw new RangeError(`column '${name}': ${column.length} values but ${raw.rows} rows`);
  return column;
}

function dictionary(raw: RawColumns, name: string): DictionaryColumn {
  const column = columnOf(raw, name);
  if (column instanceof Float32Array) throw new RangeError(`column '${name}' must be categories, not numbers`);
  if (column.codes.length !== raw.rows) {
    throw new RangeError(`column '${name}': ${column.codes.length} values but ${raw.rows} rows`);
  }
  return column;
}

function columnOf(raw: RawColumns, name: string): RawColumn {
  const column = Object.hasOwn(raw.columns, name) ? raw.columns[name] : undefined;
  if (!column) throw new RangeError(`column '${name}' is absent`);
  return column;
}
