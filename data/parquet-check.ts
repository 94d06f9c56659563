// Reads the description of a Parquet file nobody trusts; a program of its own, started by file-door.ts.
import { dirname } from 'node:path';
import { quoteText, withDuckDb, type DuckDb } from '../lib/duckdb.ts';
import { answerLimited } from '../lib/limited-task.ts';

export interface ParquetCheckInput {
  readonly file: string;
  /** Where the footer begins. */
  readonly dataEnd: number;
}
/** The first rule that the file breaks, or null. */
export type ParquetCheckOutput = { readonly rule: string; readonly message: string } | null;

const MAX_COLUMNS = 10_000;
const MAX_ROWS = 2 ** 40;
/** What the format's own number of a row group can count to. */
const MAX_GROUPS = 32_767;
const BOMB_BYTES = 2 ** 30;
const BOMB_RATIO = 1000;

const bad = (message: string, rule = 'parquet') => ({ rule, message });

async function check({ file, dataEnd }: ParquetCheckInput): Promise<ParquetCheckOutput> {
  const limits = { memoryLimit: '128MB', tempDir: dirname(file), threads: 1 };
  return await withDuckDb(limits, async (db) => {
    try {
      return await firstProblem(db, quoteText(file), dataEnd);
    } catch {
      return bad('is damaged Parquet: its description cannot be read');
    }
  });
}

async function firstProblem(db: DuckDb, file: string, dataEnd: number): Promise<ParquetCheckOutput> {
  const [schema] = await db.rows<{ leaves: string }>(
    `SELECT count(*) FILTER (coalesce(num_children, 0) = 0) AS leaves FROM parquet_schema(${file})`,
  );
  const leaves = Number(schema!.leaves);
  if (leaves > MAX_COLUMNS) return bad(`has ${leaves} columns; at most ${MAX_COLUMNS} are read`, 'max_columns');
  const [described] = await db.rows<{ rows: string; groups: string }>(
    `SELECT num_rows AS rows, num_row_groups AS groups FROM parquet_file_metadata(${file})`,
  );
  const rows = Number(described!.rows);
  const groups = Number(described!.groups);
  if (groups > MAX_GROUPS) return bad(`has ${groups} row groups; at most ${MAX_GROUPS} are read`, 'max_row_groups');
  if (!(rows >= 0 && rows <= MAX_ROWS)) return bad(`says it has ${rows} rows`);
  const [found] = await db.rows<Record<keyof typeof FOUND, string>>(chunksSql(file, dataEnd));
  const total = Object.fromEntries(
    Object.keys(FOUND).map((name) => [name, Number(found![name as keyof typeof FOUND])]),
  );
  return chunkProblem(total as Record<keyof typeof FOUND, number>, { rows, leaves, dataEnd });
}

/** By name, over all column chunks. Sums are of HUGEINT, for the numbers may be near 2^63. */
const FOUND = {
  groups: 'count(DISTINCT row_group_id)',
  rows: '(SELECT coalesce(sum(rows), 0) FROM (SELECT DISTINCT row_group_id, rows FROM chunks))',
  chunks: 'count(*)',
  negative: 'count(*) FILTER (rows < 0 OR size < 0 OR packed < 0 OR items < 0)',
  incomplete: 'count(*) FILTER (items < rows)',
  outside: 'count(*) FILTER (rows > 0 AND (start < 4 OR start + packed > data_end))',
  packed: 'coalesce(sum(packed), 0)',
  size: 'coalesce(sum(size), 0)',
} as const;

const chunksSql = (file: string, dataEnd: number) => `
  WITH chunks AS (
    SELECT row_group_id, row_group_num_rows AS rows, num_values AS items, ${dataEnd} AS data_end,
      total_uncompressed_size::HUGEINT AS size, total_compressed_size::HUGEINT AS packed,
      least(coalesce(nullif(dictionary_page_offset, 0), data_page_offset), data_page_offset)::HUGEINT AS start
    FROM parquet_metadata(${file})
  )
  SELECT ${Object.entries(FOUND)
    .map(([name, sql]) => `(${sql})::DOUBLE AS ${name}`)
    .join(', ')} FROM chunks`;

function chunkProblem(
  found: Record<keyof typeof FOUND, number>,
  { rows, leaves, dataEnd }: { rows: number; leaves: number; dataEnd: number },
): ParquetCheckOutput {
  if (found.negative > 0) return bad('is damaged Parquet: it has a negative size');
  if (found.rows !== rows) return bad(`says it has ${rows} rows, but its row groups say ${found.rows}`, 'row_count');
  if (found.chunks !== found.groups * leaves) return bad('is damaged Parquet: a row group lacks a column');
  if (found.incomplete > 0) return bad('is damaged Parquet: a column has fewer values than its row group has rows');
  if (found.outside > 0) return bad('says that a column lies outside the file', 'offsets');
  if (found.packed > dataEnd) return bad('says that its columns overlap', 'offsets');
  if (found.size > BOMB_BYTES && found.size > BOMB_RATIO * found.packed) {
    const message = `would unpack to ${found.size} bytes, more than ${BOMB_RATIO} times its size`;
    return bad(message, 'compression');
  }
  return null;
}

await answerLimited(check);
