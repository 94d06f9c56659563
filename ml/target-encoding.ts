import type { CategoricalEncoding } from './features.ts';
import { createRandom } from './random.ts';

/** A categorical column of the training split: `codes` index `categories`, −1 is missing. */
export interface CategoricalColumn {
  readonly column: string;
  readonly categories: readonly (string | number)[];
  readonly codes: Int32Array;
}

/** How many rows of the overall rate are added to every category. */
const SMOOTHING = 20;

/**
 * Fits the smoothed log-odds of the positive class per category: with n rows of which k positive, and the overall rate
 * p, logit((k + m·p) / (n + m)). The blend is Micci-Barreca's (SIGKDD Explorations 3(1), 2001) in its m-estimate form
 * (Cestnik, ECAI 1990). Categories without a row are left out, so they count as unknown.
 * @param target of the same rows: 1 for the positive class, else 0
 * @param smoothing m, above 0
 * @throws RangeError when lengths differ, a code has no category or the target has one class only
 */
export function fitTargetEncoding(
  { column, categories, codes }: CategoricalColumn,
  target: Uint8Array,
  smoothing = SMOOTHING,
): CategoricalEncoding {
  const { rows, positives } = count(column, codes, target, () => 0, categories.length, categories.length);
  const logOdds = createLogOdds(column, target, smoothing);
  const seen = [...categories.keys()].filter((code) => rows[code]! > 0);
  return {
    column,
    categories: seen.map((code) => categories[code]!),
    codes: seen.map((code) => logOdds(positives[code]!, rows[code]!)),
  };
}

/**
 * The training rows' own codes, each fitted on the rows of the other folds, so that a model cannot read a row's answer
 * off its code. NaN where the category is missing or occurs in no other fold, as for one that is unknown when served.
 * @param folds fold of every row, from 0
 * @throws RangeError as {@link fitTargetEncoding}
 */
export function outOfFoldCodes(
  { column, categories, codes }: CategoricalColumn,
  target: Uint8Array,
  folds: Uint8Array,
  smoothing = SMOOTHING,
): Float32Array {
  if (folds.length !== codes.length) {
    throw new RangeError(`target encoding of '${column}': ${codes.length} rows but ${folds.length} folds`);
  }
  const width = categories.length;
  const foldCount = folds.reduce((most, fold) => Math.max(most, fold + 1), 1);
  const total = count(column, codes, target, () => 0, width, width);
  const own = count(column, codes, target, (row) => folds[row]! * width, width, foldCount * width);
  const logOdds = createLogOdds(column, target, smoothing);
  const table = Float32Array.from(own.rows, (ownRows, slot) => {
    const rows = total.rows[slot % width]! - ownRows;
    return rows > 0 ? logOdds(total.positives[slot % width]! - own.positives[slot]!, rows) : NaN;
  });
  const encoded = new Float32Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    encoded[row] = codes[row]! < 0 ? NaN : table[folds[row]! * width + codes[row]!]!;
  }
  return encoded;
}

/** A fold from 0 to `folds` − 1 for every row, by seed. */
export function randomFolds(rows: number, seed: number, folds = 5): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: rows }, () => Math.floor(random() * folds));
}

// The rate is that of all rows, in every fold: the same for each row, it tells nothing about a single one.
function createLogOdds(column: string, target: Uint8Array, smoothing: number) {
  const positives = target.reduce((sum, y) => sum + y, 0);
  if (positives === 0 || positives === target.length) {
    throw new RangeError(`target encoding of '${column}': the target has only one class`);
  }
  const expected = (smoothing * positives) / target.length;
  return (positive: number, rows: number) =>
    Math.fround(Math.log((positive + expected) / (rows - positive + smoothing - expected)));
}

function count(
  column: string,
  codes: Int32Array,
  target: Uint8Array,
  offsetOf: (row: number) => number,
  width: number,
  slots: number,
) {
  if (codes.length !== target.length) {
    throw new RangeError(`target encoding of '${column}': ${codes.length} rows but ${target.length} targets`);
  }
  const rows = new Int32Array(slots);
  const positives = new Int32Array(slots);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code >= width) throw new RangeError(`target encoding of '${column}': code ${code} has no category`);
    if (code < 0) continue;
    const slot = offsetOf(row) + code;
    rows[slot] = rows[slot]! + 1;
    positives[slot] = positives[slot]! + target[row]!;
  }
  return { rows, positives };
}
