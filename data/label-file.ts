// Reads a file of labels nobody trusts; a program of its own, started by label-files.ts.
import { dirname } from 'node:path';
import { quoteName, quoteText, withDuckDb, type DuckDb } from '../lib/duckdb.ts';
import { answerLimited } from '../lib/limited-task.ts';
import { unreadableFile } from './batch-chunks.ts';
import type { SourceFormat } from './file-head.ts';
import { LABEL_COLUMNS } from './label-rows.ts';
import { openSource, type Source } from './source.ts';
import type { TableColumn } from './table-schema.ts';
import { violation } from './violations.ts';

export interface LabelFileInput {
  readonly file: string;
  readonly format: SourceFormat;
  /** Written: a LabelRow per line. */
  readonly rows: string;
}

const CONTRACT = { extra_columns: 'ignore', max_columns: 100 } as const;

async function read(input: LabelFileInput): Promise<void> {
  const { file, format } = input;
  // One thread: several would mix the rows.
  await withDuckDb({ memoryLimit: '192MB', tempDir: dirname(file), threads: 1 }, async (db) => {
    const source = await openLabels(db, input);
    await db.run(copySql(source, input.rows)).catch(async (error: unknown) => {
      throw await unreadableFile({ file, format }, error);
    });
  });
}

async function openLabels(db: DuckDb, { file, format }: LabelFileInput): Promise<Source> {
  const named = (names: readonly string[]) => names.map((name): TableColumn => ({ name, type: 'categorical_string' }));
  const source = await openSource(db, file, format, named(format === 'ndjson' ? LABEL_COLUMNS : ['label']), CONTRACT);
  if (format === 'ndjson' || ['prediction_id', 'entity'].some((name) => source.names.includes(name))) return source;
  throw violation('prediction_id', 'missing_column', 'the column is missing, and so is entity');
}

function copySql(source: Source, rows: string): string {
  const list = LABEL_COLUMNS.map((name) => {
    const isThere = source.format === 'ndjson' || source.names.includes(name);
    return `${isThere ? textOf(source, name) : 'NULL'} AS ${quoteName(name)}`;
  });
  return `COPY (SELECT ${list.join(', ')} FROM ${source.typed}) TO ${quoteText(rows)} (FORMAT json)`;
}

/** Times of Parquet as ISO 8601. */
function textOf({ reference, typeOf }: Source, name: string): string {
  const column = reference(name);
  if (!/^(DATE|TIMESTAMP)/.test(typeOf(name))) return `CAST(${column} AS VARCHAR)`;
  return `strftime(make_timestamp(epoch_ms(${column}) * 1000), '%Y-%m-%dT%H:%M:%S.%gZ')`;
}

await answerLimited(read);
