import { quoteName, quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { ErrorDetail } from '../lib/errors.ts';
import { readCsvHeader } from './csv-header.ts';
import { MAX_ROW_BYTES, readHead, type SourceFormat } from './file-head.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { TableColumn } from './table-schema.ts';
import { shorten, violation, violations } from './violations.ts';

/** A file as DuckDB reads it. The columns of both relations are addressed by `reference`. */
export interface Source {
  readonly format: SourceFormat;
  readonly file: string;
  /** Names in the file; empty for NDJSON, where every line has its own. */
  readonly names: readonly string[];
  readonly reference: (column: string) => string;
  /** FROM clause with columns already of their type where the format allows; a bad row raises DuckDB's error. */
  readonly typed: string;
  readonly typeOf: (column: string) => string;
  /** FROM clause with every column as text; rows that cannot be read are left out and reported in reject_errors. */
  readonly raw: string;
}

/** Looks at the head of the file. Throws DATA_CONTRACT when it is not of its format or has not the needed columns. */
export async function openSource(
  db: DuckDb,
  file: string,
  format: SourceFormat,
  columns: readonly TableColumn[],
  contract: Contract,
): Promise<Source> {
  const head = await readHead(file, format);
  if (format === 'ndjson') return ndjsonSource(file, columns);
  const source = format === 'csv' ? csvSource(file, head, columns) : await parquetSource(db, file);
  const problems = columnProblems(source.names, columns, contract);
  if (problems.length > 0) throw violations(problems);
  return source;
}

type Contract = Pick<PipelineDefinition['contract'], 'extra_columns' | 'max_columns'>;

export function columnProblems(
  names: readonly string[],
  columns: readonly TableColumn[],
  { extra_columns, max_columns }: Contract,
): ErrorDetail[] {
  if (names.length > max_columns) {
    const message = `the file has ${names.length} columns, the contract allows ${max_columns}`;
    return [{ path: 'file', rule: 'max_columns', message }];
  }
  const present = new Set(names);
  const needed = new Set(columns.map(({ name }) => name));
  const twice = new Set(names.filter((name, index) => needed.has(name) && names.indexOf(name) < index));
  const extra = extra_columns === 'reject' ? names.filter((name) => !needed.has(name)) : [];
  return [
    ...columns
      .filter(({ name }) => !present.has(name))
      .map(({ name }) => ({ path: name, rule: 'missing_column', message: 'the column is missing' })),
    ...[...twice].map((name) => ({ path: name, rule: 'duplicate_column', message: 'the column occurs twice' })),
    ...extra.map((name) => ({
      path: name.slice(0, 60),
      rule: 'extra_column',
      message: `the column ${shorten(name)} is not in the definition`,
    })),
  ];
}

// Columns are addressed by position (c0, c1, …): names in a file may clash, differ only in case or be empty.
function csvSource(file: string, head: Buffer, columns: readonly TableColumn[]): Source {
  const { names, delimiter } = readCsvHeader(head);
  const types = new Map(columns.map(({ name, type }) => [name, CSV_TYPES[type]]));
  const position = new Map(names.map((name, index) => [name, index]));
  const read = (typeOf: (name: string) => string, options: string) => {
    const typed = names.map((name, index) => `c${index}: '${typeOf(name)}'`).join(', ');
    return `read_csv(${quoteText(file)}, header = true, auto_detect = false, delim = ${quoteText(delimiter)}, quote = '"',
      escape = '"', max_line_size = ${MAX_ROW_BYTES}, buffer_size = ${8 * MAX_ROW_BYTES}, columns = {${typed}}${options})`;
  };
  const typeOf = (name: string) => types.get(name) ?? 'VARCHAR';
  return {
    format: 'csv',
    file,
    names,
    reference: (column) => `c${position.get(column)}`,
    typed: read(typeOf, ''),
    typeOf,
    raw: read(() => 'VARCHAR', ', store_rejects = true'),
  };
}

const CSV_TYPES: Record<TableColumn['type'], string> = {
  numeric: 'FLOAT',
  boolean: 'BOOLEAN',
  categorical_string: 'VARCHAR',
  categorical_integer: 'DOUBLE',
  target: 'VARCHAR',
};

async function parquetSource(db: DuckDb, file: string): Promise<Source> {
  const relation = `read_parquet(${quoteText(file)})`;
  const described = await db
    .rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${relation}`)
    .catch(() => {
      throw violation('file', 'parquet', 'the Parquet file is damaged: its description cannot be read');
    });
  const types = new Map(described.map((row) => [row.column_name, row.column_type]));
  return {
    format: 'parquet',
    file,
    names: [...types.keys()],
    reference: quoteName,
    typed: relation,
    typeOf: (column) => types.get(column) ?? 'VARCHAR',
    raw: relation,
  };
}

function ndjsonSource(file: string, columns: readonly TableColumn[]): Source {
  const typed = columns.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const relation = `read_json(${quoteText(file)}, format = 'newline_delimited', columns = {${typed}},
    maximum_object_size = ${MAX_ROW_BYTES})`;
  return {
    format: 'ndjson',
    file,
    names: [],
    reference: quoteName,
    typed: relation,
    typeOf: () => 'VARCHAR',
    raw: relation,
  };
}
