import { quoteName, quoteText, withDuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import type { InputColumn } from '../ml/features.ts';
import { addedColumns } from './added-columns.ts';
import { rowCount } from './typed-columns.ts';

export interface WindowArchiveInput {
  /** NDJSON of WindowRow (activities/drift-window.ts). */
  readonly rowsFile: string;
  readonly inputs: readonly InputColumn[];
  readonly path: string;
}
const FEATURE_TYPES: Record<InputColumn['type'], string> = {
  numeric: 'DOUBLE',
  boolean: 'BOOLEAN',
  categorical_integer: 'BIGINT',
  categorical_string: 'VARCHAR',
};
const ADDED_TYPES = {
  id: 'UUID',
  created_at: 'TIMESTAMPTZ',
  probability: 'DOUBLE',
  label: 'VARCHAR',
  decision: 'VARCHAR',
  entity: 'VARCHAR',
} as const;

/**
 * Writes the predictions of a window as typed Parquet, in their order: id, time, features, answer. Answers how many.
 * The same input gives the same bytes.
 */
export const writeWindowArchive = (
  { rowsFile, inputs, path }: WindowArchiveInput,
  duckdb: Omit<DuckDbOptions, 'threads'>,
): Promise<number> =>
  // One thread: several would mix the rows.
  withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
    const names = addedColumns(inputs);
    const added = (name: keyof typeof ADDED_TYPES) => `${name} AS ${quoteName(names[name])}`;
    const features = inputs.map((input) => `${featureSql(input)} AS ${quoteName(input.name)}`);
    const list = [
      ...(['id', 'created_at'] as const).map(added),
      ...features,
      ...(['probability', 'label', 'decision', 'entity'] as const).map(added),
    ];
    await db.run(
      `COPY (SELECT ${list.join(', ')} FROM ${rowsSql(rowsFile, inputs)}) TO ${quoteText(path)} (FORMAT parquet)`,
    );
    return await rowCount(db, path);
  });

// By way of a double, as a number in JSON goes on its way to the model.
const featureSql = ({ name, type }: InputColumn) =>
  type === 'numeric' ? `CAST(features.${quoteName(name)} AS FLOAT)` : `features.${quoteName(name)}`;

function rowsSql(file: string, inputs: readonly InputColumn[]): string {
  const struct = inputs.map(({ name, type }) => `${quoteName(name)} ${FEATURE_TYPES[type]}`).join(', ');
  const types = { ...ADDED_TYPES, features: `STRUCT(${struct})` };
  const columns = Object.entries(types).map(([name, type]) => `${name}: ${quoteText(type)}`);
  return `read_json(${quoteText(file)}, format = 'newline_delimited', columns = {${columns.join(', ')}})`;
}
