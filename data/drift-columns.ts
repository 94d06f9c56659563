import type { ColumnChunk, DuckDb } from '../lib/duckdb.ts';
import type { ComparedRows } from '../ml/drift/compare.ts';
import { prepareNumbers, type PreparedCategories, type PreparedColumn } from '../ml/drift/prepared-column.ts';
import { rowCount, tableOf } from './typed-columns.ts';

/** Paths of two Parquet files. */
export interface ComparedTables {
  readonly reference: string;
  readonly current: string;
}
/** A column of both, and the SQL of its values in each: of numbers, or of what is told apart by its text. */
export interface ComparedColumn {
  readonly name: string;
  readonly type: PreparedColumn['type'];
  readonly reference: string;
  readonly current: string;
}
export interface ColumnPair {
  /** Of the column, in the list that was asked for. */
  readonly index: number;
  readonly reference: PreparedColumn;
  readonly current: PreparedColumn;
}
interface IndexedColumn extends ComparedColumn {
  readonly index: number;
}
/** Of a group of columns whose query is done: reads the answer. */
type ReadPairs = () => Promise<Iterable<ColumnPair>>;

// A query over several columns costs little more than over one, most of it being paid per chunk of 2,048 rows.
const GROUP_COLUMNS = 8;
const GROUP_BYTES = 7 * 2 ** 20;

/** How many rows both have. */
export const rowsOf = async (db: DuckDb, { reference, current }: ComparedTables): Promise<ComparedRows> => ({
  reference: await rowCount(db, reference),
  current: await rowCount(db, current),
});

/**
 * The columns of both tables, which have so many rows: numbers first, then categories. Infinite numbers and empty texts are missing ones. While the
 * caller works on some, DuckDB's threads compute the next; of tables so long that one column is more than 7 MiB, one is held
 * at a time. The arrays are overwritten once the generator goes on.
 */
export async function* eachColumnPair(
  db: DuckDb,
  tables: ComparedTables,
  columns: readonly ComparedColumn[],
  rows: ComparedRows,
): AsyncGenerator<ColumnPair> {
  const length = rows.reference + rows.current;
  const fitting = Math.floor(GROUP_BYTES / (8 * Math.max(1, length)));
  const isLong = fitting === 0;
  const groups = groupsOf(columns, Math.max(1, Math.min(GROUP_COLUMNS, fitting)));
  const widest = Math.max(0, ...groups.filter(([column]) => column!.type === 'numeric').map((group) => group.length));
  const values = Array.from({ length: widest }, () => new Float64Array(length));
  const query = isLong ? db.chunks : db.computedChunks;
  const start = (group: IndexedColumn[]): Promise<ReadPairs> =>
    group[0]!.type === 'categorical'
      ? queryCategories(db, tables, group[0]!)
      : queryNumbers(query, tables, group, { values, before: rows.reference });
  let next: Promise<ReadPairs> | undefined;
  for (const [index, group] of groups.entries()) {
    const read = await (next ?? start(group));
    const following = groups[index + 1];
    next = following && !isLong ? start(following) : undefined;
    const settled = next?.catch(() => undefined);
    try {
      yield* await read();
    } finally {
      await settled; // the database may be closed then
    }
  }
}

/** Some numeric columns at once, each categorical one alone. */
function groupsOf(columns: readonly ComparedColumn[], size: number): IndexedColumn[][] {
  const indexed = columns.map((column, index) => ({ ...column, index }));
  const numeric = indexed.filter(({ type }) => type === 'numeric');
  const starts = numeric.flatMap((_, at) => (at % size === 0 ? at : []));
  return [
    ...starts.map((at) => numeric.slice(at, at + size)),
    ...indexed.filter(({ type }) => type === 'categorical').map((column) => [column]),
  ];
}

async function queryNumbers(
  query: (sql: string) => AsyncIterable<ColumnChunk> | Promise<AsyncIterable<ColumnChunk>>,
  tables: ComparedTables,
  group: readonly IndexedColumn[],
  { values, before }: { readonly values: readonly Float64Array[]; readonly before: number },
): Promise<ReadPairs> {
  const select = (side: keyof ComparedTables) =>
    `SELECT ${group.map((column) => numberSql(column[side])).join(', ')} FROM ${tableOf(tables[side])}`;
  // The rows of the one, then those of the other: DuckDB keeps their order.
  const chunks = await query(`${select('reference')} UNION ALL ${select('current')}`);
  return async () => {
    let row = 0;
    for await (const chunk of chunks) {
      chunk.columns.forEach((column, index) => values[index]!.set(column, row));
      row += chunk.rows;
    }
    return numberPairs(group, values, before);
  };
}

/** Each prepared only when it is asked for. */
function* numberPairs(
  group: readonly IndexedColumn[],
  values: readonly Float64Array[],
  before: number,
): Generator<ColumnPair> {
  for (const [column, { index }] of group.entries())
    yield {
      index,
      reference: prepareNumbers(values[column]!.subarray(0, before)),
      current: prepareNumbers(values[column]!.subarray(before)),
    };
}

async function queryCategories(db: DuckDb, tables: ComparedTables, column: IndexedColumn): Promise<ReadPairs> {
  const counts = (side: keyof ComparedTables, reference: string, current: string) =>
    `SELECT ${textSql(column[side])} AS value, ${reference} AS reference, ${current} AS current
     FROM ${tableOf(tables[side])} GROUP BY 1`;
  const found = await db.rows<{ value: string | null; reference: number; current: number }>(
    `SELECT value, sum(reference)::DOUBLE AS reference, sum(current)::DOUBLE AS current
     FROM (${counts('reference', 'count(*)', '0')} UNION ALL ${counts('current', '0', 'count(*)')})
     GROUP BY 1 ORDER BY 1`,
  );
  const present = found.filter(({ value }) => value !== null);
  const categories = present.map(({ value }) => value!);
  const preparedOf = (side: keyof ComparedTables): PreparedCategories => ({
    type: 'categorical',
    rows: found.reduce((sum, row) => sum + row[side], 0),
    count: present.reduce((sum, row) => sum + row[side], 0),
    categories,
    counts: Float64Array.from(present, (row) => row[side]),
  });
  const { index } = column;
  return () => Promise.resolve([{ index, reference: preparedOf('reference'), current: preparedOf('current') }]);
}

/** SELECT of the distinct texts of a column in both tables, as `value`. */
export const categoriesSql = (tables: ComparedTables, { reference, current }: ComparedColumn) =>
  `SELECT DISTINCT value FROM (
     SELECT DISTINCT ${textSql(reference)} AS value FROM ${tableOf(tables.reference)}
     UNION ALL SELECT DISTINCT ${textSql(current)} FROM ${tableOf(tables.current)}) WHERE value IS NOT NULL`;

const textSql = (value: string) => `nullif(CAST(${value} AS VARCHAR), '')`;
const numberSql = (value: string) => {
  const number = `CAST(${value} AS DOUBLE)`;
  return `CASE WHEN isfinite(${number}) THEN ${number} ELSE 'nan'::DOUBLE END`;
};
