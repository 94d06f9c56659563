import { access } from 'node:fs/promises';
import { quoteName, type DuckDb } from '../lib/duckdb.ts';
import { PlatformError, type ErrorDetail } from '../lib/errors.ts';
import { categoriesSql, type ComparedColumn, type ComparedTables } from './drift-columns.ts';
import { tableOf } from './typed-columns.ts';
import { NUMBER_TYPE } from './typed-sql.ts';

export interface LeftOut {
  readonly column: string;
  readonly reason: string;
}
export interface DescribedTables {
  /** In the order of the reference. */
  readonly columns: readonly ComparedColumn[];
  readonly leftOut: readonly LeftOut[];
}
const CATEGORY_TYPE = /^(VARCHAR|BOOLEAN|UUID|ENUM\(.*)$/s;
const MOST_CATEGORIES = 100_000;

/**
 * What two Parquet files can be compared by: numbers, and texts and booleans as categories. Columns of other types, and
 * those that name every row, are left out.
 * @throws PlatformError INVALID naming file, column and rule: a file that cannot be read, a column of the reference that the other lacks or has in another type
 */
export async function describeTables(
  db: DuckDb,
  tables: ComparedTables,
  ignore: readonly string[],
): Promise<DescribedTables> {
  const [reference, current] = [await typesOf(db, tables.reference), await typesOf(db, tables.current)];
  const wanted = [...reference].filter(([name]) => !ignore.includes(name));
  const problems = wanted.flatMap(([name, type]) => problemOf(tables, name, kindOf(type), current.get(name)));
  if (problems.length > 0) throw invalid(problems);
  const comparable = wanted.flatMap(([name, sqlType]): ComparedColumn[] => {
    const type = kindOf(sqlType);
    return type === null ? [] : [{ name, type, reference: quoteName(name), current: quoteName(name) }];
  });
  const tooMany = await namesOfMany(
    db,
    tables,
    comparable.filter(({ type }) => type === 'categorical'),
  );
  const columns = comparable.filter(({ name }) => !tooMany.has(name));
  const leftOut = wanted.flatMap(([column, type]): LeftOut[] => {
    if (tooMany.has(column)) return [{ column, reason: `more than ${MOST_CATEGORIES} different values` }];
    return kindOf(type) === null ? [{ column, reason: `${shortType(type)} is not compared` }] : [];
  });
  if (columns.length === 0) throw invalid([detail(tables.reference, 'columns', 'has no column that can be compared')]);
  return { columns, leftOut };
}

const kindOf = (type: string): ComparedColumn['type'] | null =>
  NUMBER_TYPE.test(type) ? 'numeric' : CATEGORY_TYPE.test(type) ? 'categorical' : null;

const shortType = (type: string) => type.replace(/[([].*$/s, '');

function problemOf(
  { reference, current }: ComparedTables,
  name: string,
  kind: ComparedColumn['type'] | null,
  type: string | undefined,
): ErrorDetail[] {
  if (type === undefined) return [detail(current, 'missing_column', `has no column '${name}', which ${reference} has`)];
  if (kindOf(type) === kind) return [];
  const says = `column '${name}' is ${shortType(type)}, but ${kind ?? 'of another type'} in ${reference}`;
  return [detail(current, 'type', says)];
}

async function typesOf(db: DuckDb, file: string): Promise<Map<string, string>> {
  await access(file).catch(() => {
    throw invalid([detail(file, 'file', 'does not exist or may not be read')]);
  });
  try {
    const described = await db.rows<{ column_name: string; column_type: string }>(`DESCRIBE FROM ${tableOf(file)}`);
    return new Map(described.map((row) => [row.column_name, row.column_type]));
  } catch (cause) {
    throw invalid([detail(file, 'parquet', 'is not a Parquet file, or a damaged one')], cause);
  }
}

/** The columns of more than 100,000 different values. */
async function namesOfMany(
  db: DuckDb,
  tables: ComparedTables,
  columns: readonly ComparedColumn[],
): Promise<ReadonlySet<string>> {
  if (columns.length === 0) return new Set();
  const limited = (column: ComparedColumn) =>
    `SELECT 1 FROM (${categoriesSql(tables, column)}) LIMIT ${MOST_CATEGORIES + 1}`;
  const counts = columns.map((column, at) => `(SELECT count(*) FROM (${limited(column)})) AS n${at}`);
  const [counted] = await db.rows<Record<string, string>>(`SELECT ${counts.join(', ')}`);
  return new Set(columns.filter((_, at) => Number(counted![`n${at}`]) > MOST_CATEGORIES).map(({ name }) => name));
}

const detail = (path: string, rule: string, message: string): ErrorDetail => ({ path, rule, message });

const invalid = (details: readonly ErrorDetail[], cause?: unknown) =>
  new PlatformError('INVALID', details.map(({ path, message }) => `${path}: ${message}`).join('; '), {
    details,
    cause,
  });
