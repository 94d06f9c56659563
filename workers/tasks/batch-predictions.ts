import { join } from 'node:path';
import type {
  AssembledBatch,
  AssembleInput,
  BatchFormat,
  BatchPlan,
  ChunkInput,
  PlannedBatch,
  ScoredChunk,
} from '../../activities/batch-predictions.ts';
import { splitBatchFile } from '../../data/batch-chunks.ts';
import { joinScoredChunks, readModelInputs, writeScoredChunk } from '../../data/batch-scores.ts';
import { createOnnxSession, type OnnxSession } from '../../lib/onnx-session.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { scoreColumns } from './model-inputs.ts';
import { duckdbLimits, inDirectory, loadJson, putJson, store } from './store.ts';

export const planBatch = threadTask(({ model, dataset, format }: Omit<BatchPlan, 'rows' | 'chunks'> & BatchFormat) =>
  inDirectory('batch-plan', async (directory): Promise<PlannedBatch> => {
    const file = join(directory, 'rows');
    await store.getFile(dataset.sha256, file);
    const { inputs } = model.signature;
    const duckdb = duckdbLimits(directory);
    const files = await splitBatchFile({ file, format, inputs, directory: join(directory, 'chunks'), duckdb });
    const chunks: BatchPlan['chunks'][number][] = [];
    for (const { path, rows } of files) chunks.push({ sha256: (await store.putFile(path)).sha256, rows });
    const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
    const plan = await putJson({ model, dataset, rows, chunks } satisfies BatchPlan);
    return { plan, rows, chunks: chunks.length };
  }),
);

export const scoreBatchChunk = threadTask((input: ChunkInput) =>
  inDirectory('batch-chunk', async (directory): Promise<ScoredChunk> => {
    const { model, chunks } = await loadJson<BatchPlan>(input.plan);
    const [chunk, path] = [join(directory, 'chunk.parquet'), join(directory, 'scored.parquet')];
    await store.getFile(chunks[input.chunk]!.sha256, chunk);
    const duckdb = duckdbLimits(directory);
    const { inputs } = model.signature;
    const session = await sessionOf(model.onnx_sha256);
    const probabilities = await scoreColumns(session, inputs, await readModelInputs(chunk, inputs, duckdb));
    const firstRow = 1 + rowsOf(chunks.slice(0, input.chunk));
    const { signature, uri: modelUri } = model;
    const scored = { chunk, firstRow, signature, modelUri, probabilities, path };
    const rows_failed = await writeScoredChunk(scored, duckdb);
    return { sha256: (await store.putFile(path)).sha256, rows_failed };
  }),
);

export const assembleBatch = threadTask((input: AssembleInput) =>
  inDirectory('batch-output', async (directory): Promise<AssembledBatch> => {
    const plan = await loadJson<BatchPlan>(input.plan);
    const scored = await loadJson<ScoredChunk[]>(input.scored);
    const rows_failed = scored.reduce((sum, chunk) => sum + chunk.rows_failed, 0);
    const files = scored.map((_, index) => join(directory, `${index}.parquet`));
    for (const [index, { sha256 }] of scored.entries()) await store.getFile(sha256, files[index]!);
    const path = join(directory, 'predictions.parquet');
    await joinScoredChunks(files, path, { rows: plan.rows, rows_failed }, duckdbLimits(directory));
    const output = await store.putFile(path);
    const { uri, onnx_sha256 } = plan.model;
    const manifest = await putJson({
      model: { uri, onnx_sha256 },
      dataset: plan.dataset,
      rows: plan.rows,
      rows_failed,
      chunks: plan.chunks.map(({ sha256, rows }, index) => ({
        rows,
        input_sha256: sha256,
        output_sha256: scored[index]!.sha256,
        rows_failed: scored[index]!.rows_failed,
      })),
      output,
    });
    return { output, manifest };
  }),
);

const rowsOf = (chunks: BatchPlan['chunks']) => chunks.reduce((sum, { rows }) => sum + rows, 0);

// One per thread, for releasing a session leaks some of its memory.
let held: { readonly sha256: string; readonly session: OnnxSession } | null = null;

async function sessionOf(sha256: string): Promise<OnnxSession> {
  if (held?.sha256 === sha256) return held.session;
  const session = await createOnnxSession(await store.get(sha256));
  await held?.session.release();
  held = { sha256, session };
  return session;
}
