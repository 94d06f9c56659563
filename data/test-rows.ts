import { rm, writeFile } from 'node:fs/promises';
import { quoteName, quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { InputColumn } from '../ml/features.ts';
import type { RawRow } from '../ml/signature.ts';
import { selectRawRows } from './raw-rows.ts';
import type { SplitTable } from './split-table.ts';
import { tableOf } from './typed-columns.ts';

const TEST = 2;
const GOLDEN_ROWS = 20;
const GOLDEN_ROWS_WITH_MISSING = 5;

/** Copies the rows of the test split, in their order, into a Parquet file of the same columns. */
export async function writeTestRows(db: DuckDb, { parquet, splits }: SplitTable, path: string): Promise<void> {
  const list = `${path}.rows`;
  await writeFile(list, testRowNumbers(splits));
  try {
    const numbers = `read_csv(${quoteText(list)}, header = false, auto_detect = false, columns = {row: 'BIGINT'})`;
    await db.run(
      `COPY (SELECT * EXCLUDE (file_row_number) FROM read_parquet(${quoteText(parquet)}, file_row_number = true)
       SEMI JOIN ${numbers} chosen ON file_row_number = chosen.row ORDER BY file_row_number)
       TO ${quoteText(path)} (FORMAT parquet)`,
    );
  } finally {
    await rm(list, { force: true });
  }
}

function* testRowNumbers(splits: Uint8Array): Generator<string> {
  for (let start = 0; start < splits.length; start += 10_000) {
    let lines = '';
    for (let row = start; row < Math.min(start + 10_000, splits.length); row++) {
      if (splits[row] === TEST) lines += `${row}\n`;
    }
    yield lines;
  }
}

/** Rows that a served model is checked with: the first ones, and some with missing values. */
export async function readGolden(db: DuckDb, testRows: string, inputs: readonly InputColumn[]): Promise<RawRow[]> {
  const missing = inputs.map(({ name }) => `${quoteName(name)} IS NULL`).join(' OR ');
  const select = (condition: string, limit: number) =>
    selectRawRows(db, inputs, `FROM ${tableOf(testRows)} WHERE ${condition} LIMIT ${limit}`);
  const withMissing = await select(missing, GOLDEN_ROWS_WITH_MISSING);
  const whole = await select(`NOT (${missing})`, GOLDEN_ROWS - withMissing.length);
  return [...whole, ...withMissing];
}
