import { rm, writeFile } from 'node:fs/promises';
import { quoteName, quoteText, withDuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import type { InputColumn } from '../ml/features.ts';
import { addedColumns } from './added-columns.ts';

export interface ReferenceSampleInput {
  /** Raw rows of the test split, their target being the only column that is no input. */
  readonly testRows: string;
  readonly inputs: readonly InputColumn[];
  /** Of the positive class, for every row. */
  readonly probabilities: Float64Array;
  readonly path: string;
}
/** More rows would make no test sharper than a window of predictions does. */
const SAMPLE_ROWS = 20_000;

/**
 * Writes up to 20,000 rows of the test split, evenly chosen, with the model's probability and the class as `label`.
 * Answers how many. The same input gives the same bytes.
 */
export async function writeReferenceSample(
  { testRows, inputs, probabilities, path }: ReferenceSampleInput,
  duckdb: Omit<DuckDbOptions, 'threads'>,
): Promise<number> {
  const chosen = evenly(probabilities.length, SAMPLE_ROWS);
  const list = `${path}.probabilities`;
  await writeFile(list, chosen.map((row) => `${row},${probabilities[row]!}\n`).join(''));
  try {
    await withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
      const described = await db.rows<{ column_name: string }>(`DESCRIBE FROM read_parquet(${quoteText(testRows)})`);
      const features = new Set(inputs.map(({ name }) => name));
      const target = described.find(({ column_name }) => !features.has(column_name))!.column_name;
      const { probability, label } = addedColumns(inputs);
      const names = inputs.map(({ name }) => `rows.${quoteName(name)}`);
      await db.run(`COPY (
        SELECT ${names.join(', ')}, scores.value AS ${quoteName(probability)}, rows.${quoteName(target)} AS ${quoteName(label)}
        FROM read_parquet(${quoteText(testRows)}, file_row_number = true) rows
        JOIN read_csv(${quoteText(list)}, header = false, auto_detect = false,
          columns = {number: 'BIGINT', value: 'DOUBLE'}) scores ON rows.file_row_number = scores.number
        ORDER BY scores.number) TO ${quoteText(path)} (FORMAT parquet)`);
    });
    return chosen.length;
  } finally {
    await rm(list, { force: true });
  }
}

/** At most `most` row numbers, ascending, at equal distances. */
function evenly(rows: number, most: number): number[] {
  const count = Math.min(rows, most);
  return Array.from({ length: count }, (_, index) => Math.floor((index * rows) / count));
}
