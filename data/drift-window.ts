import { quoteName, withDuckDb, type DuckDb, type DuckDbOptions } from '../lib/duckdb.ts';
import type { DriftReport, DriftSettings } from '../ml/drift/drift-report.ts';
import { sketchColumn } from '../ml/drift/sketches/column-sketch.ts';
import type { WindowSketches } from '../ml/drift/window-sketches.ts';
import type { InputColumn } from '../ml/features.ts';
import { addedColumns } from './added-columns.ts';
import { modelValueSql, typeProblems } from './batch-rows.ts';
import { compareTables, type RoleColumn } from './drift-compare.ts';
import type { ComparedTables } from './drift-columns.ts';
import { fillArrays, tableOf } from './typed-columns.ts';

export interface WindowTables {
  /** `reference`: raw features and `probability`, of which it may lack some; `current`: what `writeWindowArchive` wrote. */
  readonly tables: ComparedTables;
  readonly inputs: readonly InputColumn[];
  readonly settings: DriftSettings;
}
export interface ComparedWindow {
  /** Features that the reference has, then `prediction`. */
  readonly report: DriftReport;
  readonly sketches: WindowSketches;
  /** Of the window, in its order. */
  readonly probabilities: Float64Array;
}

/** A window of predictions beside the reference; features in the types of the model. */
export const compareWindow = (
  { tables, inputs, settings }: WindowTables,
  duckdb: Omit<DuckDbOptions, 'threads'>,
): Promise<ComparedWindow> =>
  withDuckDb({ ...duckdb, threads: 1 }, async (db) => {
    const columns = await windowColumns(db, tables.reference, inputs);
    const wanted = columns.filter(({ name }) => !settings.ignore.includes(name));
    const sketched = new Map<RoleColumn, WindowSketches['columns'][number]>();
    const report = await compareTables(db, tables, wanted, settings, (column, reference, current) => {
      const { name, role } = column;
      const sketches = { reference: sketchColumn(reference), current: sketchColumn(current) };
      sketched.set(column, { column: name, role, ...sketches });
    });
    const probabilities = new Float64Array(report.rows.current);
    await fillArrays(db, tables.current, [quoteName(addedColumns(inputs).probability)], [probabilities]);
    return {
      report,
      sketches: { rows: report.rows, settings, columns: wanted.map((column) => sketched.get(column)!) },
      probabilities,
    };
  });

async function windowColumns(db: DuckDb, reference: string, inputs: readonly InputColumn[]): Promise<RoleColumn[]> {
  const described = await db.rows<{ column_name: string; column_type: string }>(`DESCRIBE FROM ${tableOf(reference)}`);
  const types = new Map(described.map((row) => [row.column_name, row.column_type]));
  const there = inputs.filter(({ name }) => types.has(name));
  const strange = new Set(typeProblems(there, (name) => types.get(name)!).map(({ path }) => path));
  const features = there
    .filter(({ name }) => !strange.has(name))
    .map((input): RoleColumn => ({
      name: input.name,
      role: 'feature',
      type: input.type === 'numeric' ? 'numeric' : 'categorical',
      reference: modelValueSql(input, types.get(input.name)!),
      current: quoteName(input.name),
    }));
  const probability = quoteName(addedColumns(inputs).probability);
  const prediction: RoleColumn = {
    ...{ name: 'prediction', role: 'prediction', type: 'numeric' },
    ...{ reference: probability, current: probability },
  };
  return types.has(addedColumns(inputs).probability) ? [...features, prediction] : features;
}
