import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { quoteName, quoteText, withDuckDb, type DuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import type { ErrorDetail } from '../lib/errors.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { checkContract, type CheckedRelation } from './contract.ts';
import { diagnose } from './diagnosis.ts';
import { badRow, endsInLongRow } from './csv-rows.ts';
import { keysOf } from './ndjson-lines.ts';
import type { SourceFormat } from './file-head.ts';
import type { TableProfile } from './profile.ts';
import { columnProblems, openSource, type Source } from './source.ts';
import { maybeBroken } from './suspicion.ts';
import { profileTable } from './table-profile.ts';
import { tableColumns, type TableColumn } from './table-schema.ts';
import { rowCount, tableOf } from './typed-columns.ts';
import { typedSql } from './typed-sql.ts';
import { violation, violations } from './violations.ts';

export interface TypedTableInput {
  readonly definition: PipelineDefinition;
  readonly file: string;
  readonly format: SourceFormat;
  readonly parquetPath: string;
  readonly duckdb: DuckDbOptions;
}
export interface TypedTable {
  readonly rows: number;
  readonly columns: number;
  readonly profile: TableProfile;
  readonly warnings: readonly string[];
}

/**
 * Reads a source file out of core, checks it against the definition's data contract and writes typed Parquet: the
 * features in the definition's order, then the target. The same content gives the same bytes. The file appears at
 * `parquetPath` only when it is complete. Throws DATA_CONTRACT with every broken rule.
 */
export async function makeTypedTable(input: TypedTableInput): Promise<TypedTable> {
  const unfinished = `${input.parquetPath}.${randomUUID()}.unfinished`;
  try {
    const table = await withDuckDb(input.duckdb, (db) => load(db, input, unfinished));
    await rename(unfinished, input.parquetPath);
    return table;
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function load(db: DuckDb, { definition, file, format }: TypedTableInput, parquet: string): Promise<TypedTable> {
  const columns = tableColumns(definition);
  const source = await openSource(db, file, format, columns, definition.contract);
  // Parquet says how many rows it has: a few bytes may stand for billions.
  if (format === 'parquet') await requireMaxRows(db, file, definition);
  await db.run(copySql(source, columns, parquet)).catch(async (error: unknown) => {
    throw await diagnose(db, source, columns, definition, error);
  });
  if (format === 'csv' && (await endsInLongRow(file))) throw violations(await badRow(file));
  await requireMaxRows(db, parquet, definition);
  const absent = format === 'ndjson' ? await keyProblems(db, file, columns, definition, parquet) : [];
  // A cell of Parquet may be of any size, so its columns are checked before their values are read.
  if (format === 'parquet')
    await requireContract(
      db,
      typedRelation(parquet, columns, () => true),
      definition,
      [],
    );
  const profile = await profileTable(db, parquet, columns);
  const suspect = ({ name, feature }: TableColumn) => maybeBroken(profile.columns[name]!, feature);
  if (format !== 'parquet') await requireContract(db, typedRelation(parquet, columns, suspect), definition, absent);
  return { rows: profile.rows, columns: columns.length, profile, warnings: warningsOf(profile) };
}

async function requireMaxRows(db: DuckDb, parquet: string, { contract }: PipelineDefinition): Promise<void> {
  const rows = await rowCount(db, parquet);
  if (rows <= contract.max_rows) return;
  throw violation('file', 'max_rows', `the file has ${rows} rows, the contract allows ${contract.max_rows}`);
}

/** @param absent what is already known to be broken; replaces other findings of the same columns */
async function requireContract(
  db: DuckDb,
  relation: CheckedRelation,
  definition: PipelineDefinition,
  absent: readonly ErrorDetail[],
): Promise<void> {
  const found = await checkContract(db, relation, definition);
  const broken = [...absent, ...found.filter(({ path }) => !absent.some((problem) => problem.path === path))];
  if (broken.length > 0) throw violations(broken);
}

/** Every line of NDJSON may have other keys, so they are read only where it matters. */
async function keyProblems(
  db: DuckDb,
  file: string,
  columns: readonly TableColumn[],
  { contract }: PipelineDefinition,
  parquet: string,
): Promise<ErrorDetail[]> {
  const counts = columns.map(({ name }, i) => `count(${quoteName(name)}) AS n${i}`);
  const [values] = await db.rows<Record<string, string>>(`SELECT ${counts.join(', ')} FROM ${tableOf(parquet)}`);
  const mayBeAbsent = columns.some((_, i) => values![`n${i}`] === '0');
  if (!mayBeAbsent && contract.extra_columns === 'ignore') return [];
  return columnProblems(await keysOf(file), columns, contract);
}

function copySql(source: Source, columns: readonly TableColumn[], parquet: string): string {
  const list = columns.map(({ name, type }) => {
    const value = typedSql(type, source.reference(name), source.typeOf(name), 'raise');
    return `${value} AS ${quoteName(name)}`;
  });
  return `COPY (SELECT ${list.join(', ')} FROM ${source.typed}) TO ${quoteText(parquet)} (FORMAT parquet)`;
}

const typedRelation = (
  parquet: string,
  columns: readonly TableColumn[],
  suspect: CheckedRelation['suspect'],
): CheckedRelation => ({
  from: `read_parquet(${quoteText(parquet)}, file_row_number = true)`,
  row: 'file_row_number + 1',
  suspect,
  rowInFile: (row: number) => row,
  columns: columns.map((column) => {
    const name = quoteName(column.name);
    return { ...column, typed: name, text: `CAST(${name} AS VARCHAR)`, missing: `${name} IS NULL`, mayMistype: false };
  }),
});

function warningsOf({ columns }: TableProfile): string[] {
  return Object.entries(columns)
    .filter(([, { distinct, count }]) => distinct <= 1 || count === 0)
    .map(([name, { count }]) => `column '${name}' ${count === 0 ? 'has no values' : 'has one value only'}`);
}
