import type { RawRow } from '../ml/signature.ts';
import { READY_PIPELINES, type ReadyPipelineName } from './ready.ts';

/** A ready pipeline's sample data as CSV (RFC 4180), line by line, header first; a missing value is an empty field. */
export function* sampleCsv(name: ReadyPipelineName, rows: number, seed: number): Generator<string> {
  const { definition, rows: generate } = READY_PIPELINES[name];
  const columns = [...Object.keys(definition.features), definition.target.column];
  yield csvLine(columns);
  for (const row of generate(rows, seed)) yield csvLine(columns.map((column) => row[column] ?? null));
}

/** The same rows as NDJSON; a missing value is null. */
export function* sampleNdjson(name: ReadyPipelineName, rows: number, seed: number): Generator<string> {
  for (const row of READY_PIPELINES[name].rows(rows, seed)) yield `${JSON.stringify(row)}\n`;
}

/** One line of CSV with its line end. An empty string is quoted, to differ from a missing value. */
export const csvLine = (values: readonly RawRow[string][]) => `${values.map(csvField).join(',')}\n`;

function csvField(value: RawRow[string]): string {
  if (value === null) return '';
  const text = String(value);
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
