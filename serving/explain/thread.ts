import { workerData } from 'node:worker_threads';
import { openArtifactStore } from '../../lib/artifact-store/open.ts';
import type { Config } from '../../lib/config.ts';
import { PlatformError } from '../../lib/errors.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { createExplain, type Explain, type Explainable } from '../../ml/explain/explain.ts';
import { createModelCache } from '../model-cache.ts';
import type { ExplainTask } from './explainer.ts';

// What the thread that explains can run.

/** What it is constructed with. */
export interface ExplainSettings {
  readonly config: Config;
  /** Of the process's model cache. */
  readonly folder: string;
}

const KEPT = 4; // explainers; the largest take some tens of MB

const { config, folder } = workerData as ExplainSettings;
const cache = createModelCache(folder, openArtifactStore(config));
const kept = new Map<string, Explain>();

export const explain = threadTask(async ({ explainer, rows }: ExplainTask) => (await explainOf(explainer))(rows));

/** The most recently used are kept. */
async function explainOf(sha256: string): Promise<Explain> {
  const known = kept.get(sha256) ?? createExplain(await loadExplainable(sha256));
  kept.delete(sha256);
  kept.set(sha256, known);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return known;
}

async function loadExplainable(sha256: string): Promise<Explainable> {
  try {
    return JSON.parse(Buffer.from(await cache.read(sha256)).toString()) as Explainable;
  } catch (cause) {
    throw new PlatformError('UNAVAILABLE', 'what the model is explained with cannot be read', { cause });
  }
}
