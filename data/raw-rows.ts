import { quoteName, withDuckDb, type DuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import { classText } from '../ml/class-text.ts';
import type { RawColumn, RawColumns } from '../ml/feature-matrix.ts';
import type { InputColumn } from '../ml/features.ts';
import type { RawRow } from '../ml/signature.ts';
import { isCode } from './split-table.ts';
import { createDictionary, readCodes, readNumbers, rowCount, tableOf } from './typed-columns.ts';

/** Raw features of a typed Parquet table, in its row order; at most `limit` rows. */
export const readRawColumns = (
  parquetPath: string,
  inputs: readonly InputColumn[],
  duckdb: DuckDbOptions,
  limit = Infinity,
): Promise<RawColumns> =>
  withDuckDb(duckdb, async (db) => {
    const rows = Math.min(limit, await rowCount(db, parquetPath));
    const columns: [string, RawColumn][] = [];
    for (const input of inputs) columns.push([input.name, await readRawColumn(db, parquetPath, input, rows)]);
    return { rows, columns: Object.fromEntries(columns) };
  });

/** The same as one object per row. */
export const readRawRows = (
  parquetPath: string,
  inputs: readonly InputColumn[],
  duckdb: DuckDbOptions,
  limit = Infinity,
): Promise<RawRow[]> =>
  withDuckDb(duckdb, (db) => {
    const bound = limit === Infinity ? '' : `LIMIT ${limit}`;
    return selectRawRows(db, inputs, `FROM ${tableOf(parquetPath)} ${bound}`);
  });

/** 1 where the target is of the positive class, else 0; in the table's row order. */
export const readTarget = (
  parquetPath: string,
  target: { readonly column: string; readonly positive: string },
  duckdb: DuckDbOptions,
): Promise<Uint8Array> =>
  withDuckDb(duckdb, async (db) => {
    const codes = new Int32Array(await rowCount(db, parquetPath));
    const dictionary = await createDictionary(db, parquetPath, target.column);
    await readCodes(db, parquetPath, dictionary, codes);
    return isCode(codes, dictionary.values.indexOf(classText(target.positive)));
  });

/** @param from FROM clause and what follows it */
export async function selectRawRows(db: DuckDb, inputs: readonly InputColumn[], from: string): Promise<RawRow[]> {
  const list = inputs.map(({ name, type }) =>
    type === 'categorical_integer' ? `CAST(${quoteName(name)} AS DOUBLE) AS ${quoteName(name)}` : quoteName(name),
  );
  return await db.rows<RawRow>(`SELECT ${list.join(', ')} ${from}`);
}

async function readRawColumn(db: DuckDb, parquet: string, input: InputColumn, rows: number): Promise<RawColumn> {
  if (input.type === 'numeric' || input.type === 'boolean') {
    const values = new Float32Array(rows);
    await readNumbers(db, parquet, input, values);
    return values;
  }
  const codes = new Int32Array(rows);
  const dictionary = await createDictionary(db, parquet, input.name);
  await readCodes(db, parquet, dictionary, codes);
  const { values } = dictionary;
  return { codes, categories: input.type === 'categorical_integer' ? values.map(Number) : values };
}
