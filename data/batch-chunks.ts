import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteName, quoteText, withDuckDb, type DuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import { PlatformError } from '../lib/errors.ts';
import type { InputColumn } from '../ml/features.ts';
import { typeProblems } from './batch-rows.ts';
import { badRow, endsInLongRow } from './csv-rows.ts';
import type { SourceFormat } from './file-head.ts';
import { badLines, keysOf } from './ndjson-lines.ts';
import { columnProblems, openSource, type Source } from './source.ts';
import type { TableColumn } from './table-schema.ts';
import { rowCount } from './typed-columns.ts';
import { violation, violations } from './violations.ts';

export interface BatchFile {
  readonly file: string;
  readonly format: SourceFormat;
  /** What the model takes; every column of the file is kept, whether or not it is among them. */
  readonly inputs: readonly InputColumn[];
  /** The folder to make and write chunks into. */
  readonly directory: string;
  readonly duckdb: Omit<DuckDbOptions, 'threads'>;
}
export interface BatchChunkFile {
  readonly path: string;
  readonly rows: number;
}

/** Columns that scoring adds to those of the file. */
export const PREDICTION_COLUMNS = [
  'prediction_row',
  'prediction_label',
  'prediction_probability',
  'prediction_decision',
  'prediction_error',
  'prediction_model',
] as const;

// A multiple of DuckDB's 2,048, or chunks would be of uneven sizes.
const CHUNK_ROWS = 51_200;
const CONTRACT = { extra_columns: 'ignore', max_columns: 2000 } as const;
const MAX_ROWS = 100_000_000; // a few bytes of Parquet may stand for billions
const LISTED_ROWS = 20;

/**
 * Cuts a file into Parquet chunks of about 51,200 rows, in the file's order; the same file gives the same chunks. Text
 * formats stay text. Throws DATA_CONTRACT naming column or row where the file cannot be read or lacks what the model takes.
 */
export async function splitBatchFile({ duckdb, ...batch }: BatchFile): Promise<BatchChunkFile[]> {
  await mkdir(batch.directory);
  // One thread: several would mix the rows.
  return await withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
    const { source, names } = await openBatch(db, batch);
    await db.run(splitSql(source, names, batch.directory)).catch(async (error: unknown) => {
      throw await unreadableFile(batch, error);
    });
    if (batch.format === 'csv' && (await endsInLongRow(batch.file))) throw violations(await badRow(batch.file));
    const chunks = await chunkFiles(db, batch.directory);
    if (chunks.every(({ rows }) => rows === 0)) throw violation('file', 'not_empty', 'the file has no rows');
    return chunks;
  });
}

async function openBatch(db: DuckDb, { file, format, inputs }: Omit<BatchFile, 'duckdb'>) {
  const wanted = inputs.map(({ name }): TableColumn => ({ name, type: 'categorical_string' })); // as text, unchanged
  const keys = format === 'ndjson' ? await ndjsonKeys(file) : [];
  const columns = keys.map((name): TableColumn => ({ name, type: 'categorical_string' }));
  const source = await openSource(db, file, format, format === 'ndjson' ? columns : wanted, CONTRACT);
  const names = format === 'ndjson' ? keys : source.names;
  const problems = [
    ...columnProblems(names, wanted, CONTRACT),
    ...nameProblems(names),
    ...(format === 'parquet' ? typeProblems(inputs, source.typeOf) : []),
  ];
  if (problems.length > 0) throw violations(problems);
  if (format === 'parquet' && (await rowCount(db, file)) > MAX_ROWS) {
    throw violation('file', 'max_rows', `the file has more than ${MAX_ROWS} rows`);
  }
  return { source, names };
}

async function ndjsonKeys(file: string): Promise<string[]> {
  try {
    return await keysOf(file);
  } catch {
    throw violations(await badLines(file, LISTED_ROWS));
  }
}

/** DuckDB's names ignore case, and the added columns have theirs. */
function nameProblems(names: readonly string[]) {
  const lower = names.map((name) => name.toLowerCase());
  const reserved = new Set<string>([...PREDICTION_COLUMNS, 'file_row_number']);
  return [
    ...names
      .filter((_, index) => reserved.has(lower[index]!))
      .map((name) => ({ path: name, rule: 'reserved', message: 'is a name that scoring itself uses' })),
    ...names
      .filter((name, index) => name !== '' && lower.indexOf(lower[index]!) < index)
      .map((name) => ({ path: name, rule: 'duplicate_column', message: 'the column occurs twice' })),
  ];
}

function splitSql({ format, typed, reference }: Source, names: readonly string[], directory: string): string {
  const list = names.map((name, index) => {
    const source = format === 'csv' ? `c${index}` : reference(name);
    // As pandas writes its index: a column without a name.
    return `${source} AS ${quoteName(name === '' ? `column_${index + 1}` : name)}`;
  });
  return `COPY (SELECT ${list.join(', ')} FROM ${typed}) TO ${quoteText(directory)}
    (FORMAT parquet, ROW_GROUP_SIZE ${CHUNK_ROWS}, ROW_GROUPS_PER_FILE 1)`;
}

/** Why DuckDB could not read a file: the error that names the row, or UNAVAILABLE. */
export async function unreadableFile(
  { file, format }: Pick<BatchFile, 'file' | 'format'>,
  cause: unknown,
): Promise<PlatformError> {
  if (/Out of Memory|No space left/i.test(String(cause))) {
    return new PlatformError('UNAVAILABLE', 'the data needs more memory or disk than the worker may use', { cause });
  }
  const rows = format === 'csv' ? await badRow(file) : format === 'ndjson' ? await badLines(file, LISTED_ROWS) : [];
  if (rows.length > 0) return violations(rows);
  const line = /^.*?\bLine: (\d+)/m.exec(String(cause))?.[1];
  if (line === undefined) {
    return violation('file', format, `the file cannot be read as ${format}: it is damaged`);
  }
  return violation(
    `row ${Number(line) - 1}`,
    'csv',
    'has other columns than the header, or a quote that is not closed',
  );
}

/** In the order they were written: data_0.parquet, data_1.parquet, … */
async function chunkFiles(db: DuckDb, directory: string): Promise<BatchChunkFile[]> {
  const { length } = await readdir(directory);
  const chunks: BatchChunkFile[] = [];
  for (let index = 0; index < length; index++) {
    const path = join(directory, `data_${index}.parquet`);
    chunks.push({ path, rows: await rowCount(db, path) });
  }
  return chunks;
}
