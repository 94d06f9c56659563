import { workerData } from 'node:worker_threads';
import { notFound } from '../../lib/errors.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { createExplain, type Explain, type Explainable } from '../../ml/explain/explain.ts';
import { createModelCache } from '../model-cache.ts';
import type { ExplainTask } from './explainer.ts';

// What the thread that explains can run. It has no artifact store: the client of one takes 40 MB.

/** What it is constructed with. */
export interface ExplainSettings {
  /** Of the process's model cache. */
  readonly folder: string;
}

const KEPT = 4; // explainers; the largest take some tens of MB

const { folder } = workerData as ExplainSettings;
const cache = createModelCache(folder, { getFile: (sha256) => Promise.reject(notFound('explainer', sha256)) });
const kept = new Map<string, Explain>();

/** Throws NOT_FOUND when the explainer is not on disk. */
export const explain = threadTask(async ({ explainer, rows }: ExplainTask) => (await explainOf(explainer))(rows));

/** The most recently used are kept. */
async function explainOf(sha256: string): Promise<Explain> {
  const known = kept.get(sha256) ?? createExplain(await loadExplainable(sha256));
  kept.delete(sha256);
  kept.set(sha256, known);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return known;
}

const loadExplainable = async (sha256: string) =>
  JSON.parse(Buffer.from(await cache.read(sha256)).toString()) as Explainable;
