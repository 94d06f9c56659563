import type { DuckDb } from '../lib/duckdb.ts';
import { PlatformError, type ErrorDetail } from '../lib/errors.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { checkContract, type CheckedRelation } from './contract.ts';
import { MAX_ROW_BYTES } from './file-head.ts';
import type { Source } from './source.ts';
import { badLines } from './ndjson-lines.ts';
import { badRow } from './csv-rows.ts';
import type { TableColumn } from './table-schema.ts';
import { rawSql, typedSql } from './typed-sql.ts';
import { violation, violations } from './violations.ts';

const LISTED_ROWS = 20;

/** Says why a source could not be loaded: reads it again as text, row by row. `cause` is DuckDB's error. */
export async function diagnose(
  db: DuckDb,
  source: Source,
  columns: readonly TableColumn[],
  definition: PipelineDefinition,
  cause: unknown,
): Promise<PlatformError> {
  if (/Out of Memory|No space left/i.test(String(cause))) {
    return new PlatformError('UNAVAILABLE', 'the data needs more memory or disk than the worker may use', { cause });
  }
  const details = await problems(db, source, columns, definition);
  if (details.length > 0) return violations(details);
  // A row that is longer than the reader's buffer is neither read nor reported by it.
  const rows = source.format === 'csv' ? await badRow(source.file) : [];
  if (rows.length > 0) return violations(rows);
  return violation('file', source.format, `the file cannot be read as ${source.format}: it is damaged`);
}

async function problems(
  db: DuckDb,
  source: Source,
  columns: readonly TableColumn[],
  definition: PipelineDefinition,
): Promise<ErrorDetail[]> {
  const unreadable = source.format === 'ndjson' ? await badLines(source.file, LISTED_ROWS) : [];
  if (unreadable.length > 0) return unreadable;
  try {
    await loadRaw(db, source, columns);
  } catch {
    return [];
  }
  const rejected = source.format === 'csv' ? await rejectedRows(db) : [];
  const relation = rawRelation(
    columns,
    rejected.map(({ row }) => row),
  );
  return [...list(rejected), ...(await checkContract(db, relation, definition))];
}

// A row that cannot be read is left out only when the scan needs its bad column, so all checks work on one scan of all
// columns. (With pruned columns DuckDB 1.5 also fails when it reports the row.)
async function loadRaw(db: DuckDb, source: Source, columns: readonly TableColumn[]): Promise<void> {
  await db.run(`SET disabled_optimizers = 'unused_columns'`);
  const texts = columns.map(({ name, type }, i) => `${rawSql(type, source.reference(name))} AS r${i}`);
  await db.run(
    `CREATE TABLE raw AS SELECT row_number() OVER () AS row, ${texts.join(', ')} FROM (SELECT * FROM ${source.raw})`,
  );
  await db.run(`SET disabled_optimizers = ''`);
}

function rawRelation(columns: readonly TableColumn[], rejected: readonly number[]): CheckedRelation {
  const typed = columns.map(({ type }, i) => `${typedSql(type, `r${i}`, 'VARCHAR', 'null')} AS t${i}`);
  return {
    from: `(SELECT *, ${typed.join(', ')} FROM raw)`,
    row: 'row',
    suspect: () => true,
    rowInFile: (row) => rejected.reduce((shifted, left) => (left <= shifted ? shifted + 1 : shifted), row),
    columns: columns.map((column, i) => ({
      ...column,
      typed: `t${i}`,
      text: `r${i}`,
      missing: `r${i} IS NULL`,
      mayMistype: true,
    })),
  };
}

interface RejectedRow {
  readonly row: number;
  readonly rule: string;
  readonly message: string;
}

/** Rows that the CSV reader had to leave out, ascending; row 1 is the first below the header. */
async function rejectedRows(db: DuckDb): Promise<RejectedRow[]> {
  const found = await db.rows<{ line: string; type: string; message: string }>(
    `SELECT line, min(error_type::VARCHAR) AS type, left(min(error_message), 200) AS message FROM reject_errors
     GROUP BY 1 ORDER BY 1`,
  );
  return found.map(({ line, type, message }) => ({ row: Number(line) - 1, ...explain(type, message) }));
}

function list(rejected: readonly RejectedRow[]): ErrorDetail[] {
  const listed = rejected.slice(0, LISTED_ROWS).map(({ row, ...rest }) => ({ path: `row ${row}`, ...rest }));
  const more = rejected.length - listed.length;
  if (more === 0) return listed;
  return [...listed, { path: 'file', rule: 'rows', message: `${more} more rows cannot be read` }];
}

function explain(type: string, message: string): { rule: string; message: string } {
  switch (type) {
    case 'MISSING COLUMNS':
    case 'TOO MANY COLUMNS': {
      const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message) ?? [];
      const values = type === 'MISSING COLUMNS' ? `${found} values` : `at least ${found} values`;
      return { rule: 'columns', message: `has ${values}, but the header has ${expected} columns` };
    }
    case 'UNQUOTED VALUE':
      return { rule: 'quotes', message: 'has a quoted value that is not closed, or text after its closing quote' };
    case 'LINE SIZE OVER MAXIMUM':
      return { rule: 'row_size', message: `is longer than ${MAX_ROW_BYTES} bytes` };
    case 'INVALID ENCODING':
      return { rule: 'utf8', message: 'is not UTF-8 text' };
    default:
      return { rule: 'csv', message: 'cannot be read as CSV' };
  }
}
