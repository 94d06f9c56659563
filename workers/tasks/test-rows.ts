import { join } from 'node:path';
import type { PreparedData } from '../../activities/artifacts.ts';
import { readRawRows } from '../../data/raw-rows.ts';
import type { InputColumn } from '../../ml/features.ts';
import type { RawRow } from '../../ml/signature.ts';
import { duckdbLimits, inDirectory, store } from './store.ts';

/** Raw rows of the test split, in the order of its matrix; at most `limit`. */
export const loadTestRows = (
  prepared: PreparedData,
  inputs: readonly InputColumn[],
  limit = Infinity,
): Promise<RawRow[]> =>
  inDirectory('test-rows', async (directory) => {
    const parquet = join(directory, 'test-rows.parquet');
    await store.getFile(prepared.test_rows, parquet);
    return await readRawRows(parquet, inputs, duckdbLimits(directory), limit);
  });
