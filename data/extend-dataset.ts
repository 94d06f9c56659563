import { quoteName, quoteText, withDuckDb } from '../lib/duckdb.ts';
import { brokenRowSql, type CheckedColumn } from './contract.ts';
import { openSource } from './source.ts';
import { tableColumns, type TableColumn } from './table-schema.ts';
import { makeTypedTable, type TypedTableInput } from './typed-table.ts';
import { rowCount, tableOf } from './typed-columns.ts';
import { rawSql, typedSql } from './typed-sql.ts';

/** `parquetPath` is where the extended table goes. */
export interface ExtendTableInput extends TypedTableInput {
  /** NDJSON: features and target by name. */
  readonly labelled: string;
}
export interface ExtendedTable {
  readonly rows: number;
  /** Those of them that came from `labelled`. */
  readonly added: number;
}

/**
 * Reads a source file as `makeTypedTable` does and puts labelled rows at its end, out of core. Rows that the contract does
 * not allow are left out: serving enforces no bounds, and one such row would fail the whole run. The same content gives
 * the same bytes. Throws DATA_CONTRACT when the source breaks the contract.
 */
export async function extendDataset(input: ExtendTableInput): Promise<ExtendedTable> {
  const basePath = `${input.parquetPath}.base`;
  const base = await makeTypedTable({ ...input, parquetPath: basePath });
  return await withDuckDb(input.duckdb, async (db) => {
    const columns = tableColumns(input.definition);
    const { contract } = input.definition;
    const source = await openSource(db, input.labelled, 'ndjson', columns, { ...contract, extra_columns: 'ignore' });
    const checked = columns.map(toChecked);
    const list = checked.map(({ name, typed }) => `${typed} AS ${quoteName(name)}`).join(', ');
    await db.run(`COPY (
      SELECT ${columns.map(({ name }) => quoteName(name)).join(', ')} FROM ${tableOf(basePath)}
      UNION ALL
      SELECT ${list} FROM ${source.typed} WHERE NOT (${brokenRowSql(checked)})
    ) TO ${quoteText(input.parquetPath)} (FORMAT parquet)`);
    const rows = await rowCount(db, input.parquetPath);
    return { rows, added: rows - base.rows };
  });
}

/** A column of NDJSON, where every value is text. */
function toChecked(column: TableColumn): CheckedColumn {
  const reference = quoteName(column.name);
  const raw = rawSql(column.type, reference);
  return {
    ...column,
    typed: typedSql(column.type, reference, 'VARCHAR', 'null'),
    text: raw,
    missing: `${raw} IS NULL`,
    mayMistype: true,
  };
}
