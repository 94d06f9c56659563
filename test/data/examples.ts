import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SourceFormat } from '../../data/file-head.ts';
import { makeTypedTable, type TypedTable } from '../../data/typed-table.ts';
import { createRandom } from '../../ml/random.ts';
import { definePipeline, type PipelineDefinition, type PipelineDefinitionInput } from '../../pipelines/definition.ts';

/** A small definition with one feature of every kind. */
export const shopDefinition = (changes: Partial<PipelineDefinitionInput> = {}): PipelineDefinition =>
  definePipeline({
    name: 'shop',
    target: { column: 'bought', positive: 'yes' },
    features: {
      age: { type: 'numeric', min: 0, max: 120 },
      income: { type: 'numeric', nullable: true },
      city: { type: 'categorical', nullable: true },
      plan: { type: 'categorical', values: 'integer', allowed: [1, 2, 3] },
      member: { type: 'boolean' },
    },
    derived: { income_per_year: 'income / (age + 1)' },
    contract: { min_rows: 10 },
    candidates: [{ algorithm: 'logistic_regression' }],
    ...changes,
  });

export type ShopRow = Record<string, string | number | boolean | null>;

/** Seeded rows; the same row number has the same values however many rows there are. */
export function shopRows(count: number, seed = 1): ShopRow[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const age = Math.floor(90 * random());
    const income = random() < 0.1 ? null : Math.round(9_000_000 * random()) / 100;
    const city = random() < 0.05 ? null : ['Bern', 'Lyon', 'Turin', 'Graz'][Math.floor(4 * random())]!;
    const plan = 1 + Math.floor(3 * random());
    const member = random() < 0.4;
    return { age, income, city, plan, member, bought: random() < (member ? 0.7 : 0.3) ? 'yes' : 'no' };
  });
}

/** RFC 4180 lines; pass `end` for other line ends. */
export function csv(rows: readonly ShopRow[], end = '\n'): string {
  const field = (value: ShopRow[string]) => {
    const text = String(value ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const header = Object.keys(rows[0]!).join(',');
  return [header, ...rows.map((row) => Object.values(row).map(field).join(','))].join(end) + end;
}

export const ndjson = (rows: readonly ShopRow[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** A folder that is gone when the test ends. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const limits = (folder: string) => ({ memoryLimit: '200MB', tempDir: folder });

export interface MadeTable extends TypedTable {
  readonly folder: string;
  readonly parquetPath: string;
  readonly bytes: Buffer;
}

export async function tableOf(
  content: string | Buffer,
  definition = shopDefinition(),
  format: SourceFormat = 'csv',
): Promise<MadeTable> {
  const folder = await testFolder();
  const file = join(folder, 'source');
  await writeFile(file, content);
  const parquetPath = join(folder, 'table.parquet');
  const table = await makeTypedTable({ definition, file, format, parquetPath, duckdb: limits(folder) });
  return { ...table, folder, parquetPath, bytes: await readFile(parquetPath) };
}
