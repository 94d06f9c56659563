import { rm, writeFile } from 'node:fs/promises';
import { quoteName, quoteText, withDuckDb, type DuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import type { RawColumns } from '../ml/feature-matrix.ts';
import type { InputColumn } from '../ml/features.ts';
import type { ModelSignature } from '../ml/signature.ts';
import { keptValueSql, modelValueSql, rowErrorSql } from './batch-rows.ts';
import { readRawColumns } from './raw-rows.ts';
import { rowCount, tableOf } from './typed-columns.ts';
import { violation } from './violations.ts';

type Limits = Omit<DuckDbOptions, 'threads'>;
export interface ScoredChunkInput {
  /** A chunk that `splitBatchFile` wrote. */
  readonly chunk: string;
  /** Of the chunk's first row in the whole table, from 1. */
  readonly firstRow: number;
  readonly signature: ModelSignature;
  /** As `models:/churn/3`. */
  readonly modelUri: string;
  /** Of the positive class, for every row of the chunk; those of rows that break a rule are not used. */
  readonly probabilities: Float32Array;
  readonly path: string;
}

/** A chunk's rows as the model takes them; what is missing or breaks a rule counts as missing. */
export async function readModelInputs(
  chunk: string,
  inputs: readonly InputColumn[],
  duckdb: Limits,
): Promise<RawColumns> {
  const typed = `${chunk}.inputs`;
  await withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
    const typeOf = await columnTypes(db, chunk);
    const list = inputs.map((input) => `${modelValueSql(input, typeOf.get(input.name)!)} AS ${quoteName(input.name)}`);
    await db.run(`COPY (SELECT ${list.join(', ')} FROM ${tableOf(chunk)}) TO ${quoteText(typed)} (FORMAT parquet)`);
  });
  try {
    return await readRawColumns(typed, inputs, { ...duckdb, threads: 1 });
  } finally {
    await rm(typed, { force: true });
  }
}

/** Writes the chunk's rows with their predictions and answers how many have none. The same input gives the same bytes. */
export async function writeScoredChunk(input: ScoredChunkInput, duckdb: Limits): Promise<number> {
  const list = `${input.chunk}.probabilities`;
  // The shortest text of a float32 as a double is read back as that float32.
  await writeFile(list, input.probabilities.join('\n'));
  try {
    return await withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
      await db.run(`COPY (${await scoredSql(db, input, list)}) TO ${quoteText(input.path)} (FORMAT parquet)`);
      const [counted] = await db.rows<{ n: string }>(`SELECT count(prediction_error) AS n FROM ${tableOf(input.path)}`);
      return Number(counted!.n);
    });
  } finally {
    await rm(list, { force: true });
  }
}

async function scoredSql(db: DuckDb, input: ScoredChunkInput, probabilities: string): Promise<string> {
  const { chunk, firstRow, modelUri, signature } = input;
  const { inputs, classes, decision, threshold } = signature;
  const types = await columnTypes(db, chunk);
  const byName = new Map(inputs.map((column) => [column.name, column]));
  const kept = [...types].map(([name, type]) => `${keptValueSql(name, type, byName.get(name))} AS ${quoteName(name)}`);
  // As text: DuckDB casts a decimal literal to a float with errors in the last bit.
  const side = (of: { positive: string; negative: string }) =>
    `CASE WHEN scores.probability >= CAST('${threshold}' AS FLOAT) THEN ${quoteText(of.positive)} ELSE ${quoteText(of.negative)} END`;
  const scored = (value: string) =>
    `CASE WHEN checks.broken IS NULL AND coalesce(isfinite(scores.probability), false) THEN ${value} END`;
  const rows = `SELECT ${kept.join(', ')}, ${firstRow} + file_row_number AS prediction_row
    FROM read_parquet(${quoteText(chunk)}, file_row_number = true)`;
  const broken = `SELECT ${rowErrorSql(inputs, (name) => types.get(name)!)} AS broken FROM ${tableOf(chunk)}`;
  return `SELECT rows.*,
      ${scored(side(classes))} AS prediction_label,
      ${scored('scores.probability')} AS prediction_probability,
      ${scored(side(decision))} AS prediction_decision,
      coalesce(checks.broken, CASE WHEN NOT coalesce(isfinite(scores.probability), false) THEN 'the model answers no probability' END) AS prediction_error,
      ${quoteText(modelUri)} AS prediction_model
    FROM (${rows}) rows
    POSITIONAL JOIN (${broken}) checks
    POSITIONAL JOIN read_csv(${quoteText(probabilities)}, header = false, auto_detect = false,
      columns = {probability: 'FLOAT'}) scores`;
}

async function columnTypes(db: DuckDb, parquet: string): Promise<Map<string, string>> {
  const described = await db.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM ${tableOf(parquet)}`,
  );
  return new Map(described.map((row) => [row.column_name, row.column_type]));
}

/** One file of all scored chunks, in their order. Throws DATA_CONTRACT when the model could score no row at all. */
export const joinScoredChunks = (
  chunks: readonly string[],
  path: string,
  { rows, rows_failed }: { readonly rows: number; readonly rows_failed: number },
  duckdb: Limits,
): Promise<void> =>
  withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
    if (rows_failed === rows) throw await nothingScored(db, chunks[0]!);
    const files = chunks.map(quoteText).join(', ');
    await db.run(`COPY (SELECT * FROM read_parquet([${files}])) TO ${quoteText(path)} (FORMAT parquet)`);
    const written = await rowCount(db, path);
    if (written !== rows) throw new Error(`the result has ${written} rows, the table ${rows}`);
  });

async function nothingScored(db: DuckDb, chunk: string) {
  const [first] = await db.rows<{ error: string }>(
    `SELECT left(prediction_error, 500) AS error FROM ${tableOf(chunk)} LIMIT 1`,
  );
  return violation('row 1', 'scorable', `no row can be scored; the first: ${first!.error}`);
}
