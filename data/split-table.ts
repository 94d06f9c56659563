import type { DuckDb } from '../lib/duckdb.ts';
import { classText } from '../ml/class-text.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { createRowHashes, scatter, splitSizes, SPLIT_NAMES } from './split.ts';
import { tableColumns } from './table-schema.ts';
import { createDictionary, eachColumn, rowCount, type ColumnRead, type Dictionary } from './typed-columns.ts';
import { violations } from './violations.ts';

/** A typed Parquet table whose rows are assigned to splits. */
export interface SplitTable {
  readonly parquet: string;
  readonly rows: number;
  /** Number of every row's split, as in SPLIT_NAMES; the arrays below are by that number too. */
  readonly splits: Uint8Array;
  readonly sizes: readonly number[];
  readonly targets: readonly Uint8Array[];
  readonly positives: readonly number[];
  readonly dictionaries: ReadonlyMap<string, Dictionary>;
  readonly negativeClass: string;
}

/**
 * Assigns every row by a hash of all its values and the seed: the same row falls into the same split on every machine,
 * whatever other rows there are. As the target is part of the hash, each class is drawn by itself, with equal shares
 * in expectation. Throws DATA_CONTRACT when a split lacks a class.
 */
export async function splitTable(db: DuckDb, parquet: string, definition: PipelineDefinition): Promise<SplitTable> {
  const rows = await rowCount(db, parquet);
  const hashes = createRowHashes(rows, definition.split.seed);
  const dictionaries = new Map<string, Dictionary>();
  const reads: ColumnRead[] = [];
  for (const column of tableColumns(definition)) {
    if (column.type === 'numeric' || column.type === 'boolean') {
      reads.push({ numbers: column });
      continue;
    }
    const codes = await createDictionary(db, parquet, column.name);
    dictionaries.set(column.name, codes);
    reads.push({ codes });
  }
  const classes = dictionaries.get(definition.target.column)!.values;
  const positive = classes.indexOf(classText(definition.target.positive));
  let target: Uint8Array = new Uint8Array();
  let index = 0;
  for await (const values of eachColumn(db, { parquet, rows }, reads)) {
    const read = reads[index++]!;
    if ('numbers' in read) {
      hashes.addNumbers(values as Float32Array);
      continue;
    }
    hashes.addCodes(values as Int32Array, read.codes.values);
    if (read.codes.column === definition.target.column) target = isCode(values as Int32Array, positive);
  }
  const splits = hashes.assign(definition.split);
  const sizes = splitSizes(splits);
  const targets = sizes.map((size) => new Uint8Array(size));
  scatter(target, splits, targets);
  const positives = targets.map((values) => values.reduce((sum, value) => sum + value, 0));
  requireBothClasses(definition.target.column, sizes, positives);
  const negativeClass = classes.find((_, code) => code !== positive)!;
  return { parquet, rows, splits, sizes, targets, positives, dictionaries, negativeClass };
}

/** 1 where a code is the wanted one, else 0. */
export function isCode(codes: Int32Array, wanted: number): Uint8Array {
  const found = new Uint8Array(codes.length); // not Uint8Array.from: it makes an array of all values first
  for (let row = 0; row < codes.length; row++) found[row] = codes[row] === wanted ? 1 : 0;
  return found;
}

function requireBothClasses(path: string, sizes: readonly number[], positives: readonly number[]): void {
  const details = SPLIT_NAMES.flatMap((name, split) => {
    const positive = positives[split]!;
    const negative = sizes[split]! - positive;
    if (positive > 0 && negative > 0) return [];
    const message = `the ${name} split needs rows of both classes, but has ${positive} positive and ${negative} negative`;
    return [{ path, rule: 'classes_in_split', message }];
  });
  if (details.length > 0) throw violations(details);
}
