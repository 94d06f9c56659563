import { join } from 'node:path';
import type { PreparedData } from '../../activities/artifacts.ts';
import { extendDataset, type ExtendTableInput } from '../../data/extend-dataset.ts';
import { prepareMatrices } from '../../data/prepare.ts';
import { makeTypedTable, type TypedTableInput } from '../../data/typed-table.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { duckdbLimits, inDirectory, loadDefinition, putJson, store } from './store.ts';

export const typedTable = threadTask((input: Omit<TypedTableInput, 'duckdb'>) =>
  inDirectory('typed-table', (directory) => makeTypedTable({ ...input, duckdb: duckdbLimits(directory) })),
);

export const extendTable = threadTask((input: Omit<ExtendTableInput, 'duckdb'>) =>
  inDirectory('extend-table', (directory) => extendDataset({ ...input, duckdb: duckdbLimits(directory) })),
);

export const prepare = threadTask((input: { definition: string; parquet: string }) =>
  inDirectory('prepare', async (directory): Promise<PreparedData> => {
    const parquetPath = join(directory, 'table.parquet');
    const definition = await loadDefinition(input.definition);
    await store.getFile(input.parquet, parquetPath);
    const duckdb = duckdbLimits(directory);
    const made = await prepareMatrices({ definition, parquetPath, outDir: directory, duckdb });
    const put = async (file: string) => (await store.putFile(join(directory, file))).sha256;
    return {
      train: await put('train.mat'),
      validation: await put('validation.mat'),
      test: await put('test.mat'),
      test_rows: await put('test-rows.parquet'),
      features: await putJson(made.features),
      profile: await putJson(made.reference_profile),
      sample_rows: await putJson(made.golden),
      rows: made.rows,
    };
  }),
);
