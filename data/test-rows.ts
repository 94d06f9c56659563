import { rm, writeFile } from 'node:fs/promises';
import { quoteName, quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { InputColumn } from '../ml/features.ts';
import type { RawRow } from '../ml/signature.ts';
import { selectRawRows } from './raw-rows.ts';
import type { SplitTable } from './split-table.ts';
import { tableOf } from './typed-columns.ts';

const TEST = 2;
const ROWS_PER_GROUP = 20_480; // a group is held in memory until it is written
const GOLDEN_ROWS = 20;
const GOLDEN_ROWS_WITH_MISSING = 5;

/** Copies the rows of the test split, in their order, into a Parquet file of the same columns. */
export async function writeTestRows(db: DuckDb, { parquet, splits }: SplitTable, path: string): Promise<void> {
  const list = `${path}.splits`;
  await writeFile(list, splitLines(splits));
  try {
    const split = `read_csv(${quoteText(list)}, header = false, auto_detect = false, columns = {split: 'UTINYINT'})`;
    // Row by row beside the table: keeps the order and holds nothing, where a join or a sort would.
    await db.run(
      `COPY (SELECT t.* FROM ${tableOf(parquet)} t POSITIONAL JOIN ${split} s WHERE s.split = ${TEST})
       TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE ${ROWS_PER_GROUP})`,
    );
  } finally {
    await rm(list, { force: true });
  }
}
function splitLines(splits: Uint8Array): Uint8Array {
  const lines = new Uint8Array(2 * splits.length).fill(0x0a);
  for (let row = 0; row < splits.length; row++) lines[2 * row] = 0x30 + splits[row]!;
  return lines;
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
