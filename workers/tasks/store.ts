import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { openArtifactStore } from '../../lib/artifact-store/open.ts';
import type { Config } from '../../lib/config.ts';
import { decodeMatrix } from '../../ml/matrix-file.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { readDefinition } from '../stored-definition.ts';

/** What a pool thread is constructed with. */
export interface TaskSettings {
  readonly config: Config;
}
const { config } = workerData as TaskSettings;
export const store = openArtifactStore(config);

/** Bounds of every DuckDB that a task opens. */
export const duckdbLimits = (directory: string) => ({ memoryLimit: config.DUCKDB_MEMORY_LIMIT, tempDir: directory });

export const loadJson = async <T>(sha256: string): Promise<T> =>
  JSON.parse(Buffer.from(await store.get(sha256)).toString()) as T;

export const loadDefinition = (sha256: string) => readDefinition(store, sha256);

export const loadMatrix = async (sha256: string): Promise<Matrix> => decodeMatrix(await store.get(sha256));

export const putJson = async (value: unknown): Promise<string> =>
  (await store.put(Buffer.from(JSON.stringify(value)))).sha256;

/** A folder for one task's files, gone when the task ends. */
export async function inDirectory<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const parent = join(config.ANNEAL_HOME, 'work');
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, `${name}-`));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
