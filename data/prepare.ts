import { join } from 'node:path';
import { withDuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import { matrixColumns, type FittedFeatures } from '../ml/features.ts';
import type { RawRow } from '../ml/signature.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { createMatrixWriter, type MatrixWriter } from './matrix-writer.ts';
import type { TableProfile } from './profile.ts';
import { SPLIT_NAMES } from './split.ts';
import { splitTable, type SplitTable } from './split-table.ts';
import { writeMatrixColumns } from './matrix-columns.ts';
import { inputColumns } from './table-schema.ts';
import { readGolden, writeTestRows } from './test-rows.ts';

export interface PrepareInput {
  readonly definition: PipelineDefinition;
  /** What `makeTypedTable` wrote. */
  readonly parquetPath: string;
  readonly outDir: string;
  readonly duckdb: DuckDbOptions;
}
export interface Prepared {
  readonly features: FittedFeatures & { readonly negative_class: string };
  readonly reference_profile: ReferenceProfile;
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  /** Up to 20 raw rows of the test split, some with missing values if there are any. */
  readonly golden: RawRow[];
}
/** The training split: what later data is compared with. */
export interface ReferenceProfile extends TableProfile {
  readonly positive_rate: number;
}

/**
 * Splits a typed table and writes train.mat, validation.mat and test.mat (ml/matrix-file.ts) and test-rows.parquet (raw
 * features and target, in the order of test.mat) into `outDir`. Encodings are fitted on the train split only; its own
 * categorical columns hold out-of-fold codes. Works a column at a time: memory grows with rows, not with columns.
 * Throws DATA_CONTRACT when a split lacks a class.
 */
export const prepareMatrices = ({ definition, parquetPath, outDir, duckdb }: PrepareInput): Promise<Prepared> =>
  withDuckDb(duckdb, async (db) => {
    const table = await splitTable(db, parquetPath, definition);
    const inputs = inputColumns(definition);
    const derived = Object.entries(definition.derived).map(([name, expression]) => ({ name, expression }));
    const names = matrixColumns({ inputs, derived, encodings: [] });
    const { encodings, profile } = await withWriters(outDir, names, table, (writers) =>
      writeMatrixColumns(db, table, { inputs, derived }, writers),
    );
    const testRows = join(outDir, 'test-rows.parquet');
    await writeTestRows(db, table, testRows);
    const [train, validation, test] = table.sizes as [number, number, number];
    return {
      features: { inputs, encodings, derived, negative_class: table.negativeClass },
      reference_profile: { rows: train, columns: profile, positive_rate: table.positives[0]! / train },
      rows: { train, validation, test },
      golden: await readGolden(db, testRows, inputs),
    };
  });

async function withWriters<T>(
  outDir: string,
  names: readonly string[],
  table: SplitTable,
  work: (writers: readonly MatrixWriter[]) => Promise<T>,
): Promise<T> {
  const writers: MatrixWriter[] = [];
  try {
    for (const [split, name] of SPLIT_NAMES.entries()) {
      writers.push(await createMatrixWriter(join(outDir, `${name}.mat`), names, table.sizes[split]!));
    }
    return await work(writers);
  } finally {
    await Promise.all(writers.map((writer) => writer.close()));
  }
}
