import type { ServedModel } from '../../db/endpoints.ts';
import { orNull, PlatformError } from '../../lib/errors.ts';
import type { ThreadPool } from '../../lib/thread-pool.ts';
import type { Explanation } from '../../ml/explain/explain.ts';
import type { RawRow } from '../../ml/signature.ts';

/** One request may ask for this many: of the largest ensembles, a row takes 20 ms. */
export const MAX_EXPLAINED_ROWS = 100;
/** A larger body would hold up others while it is parsed. */
export const MAX_EXPLAINED_BYTES = 256 * 1024;
/** Rows that may wait for the thread, over all requests. */
const MAX_WAITING_ROWS = 500;

/** What the explaining thread is asked: the explainer, by its hash, and rows that are valid for its model. */
export interface ExplainTask {
  readonly explainer: string;
  readonly rows: readonly RawRow[];
}
export interface Explainer {
  /**
   * Explanations in the order of the rows. Rejects with UNAVAILABLE when too many rows wait, or the explainer is not on
   * disk and cannot be fetched.
   */
  explain(this: void, task: ExplainTask): Promise<readonly Explanation[]>;
  close(this: void): Promise<void>;
}

export interface ExplainerDeps {
  /** Called at the first explanation: a process that never explains has no thread for it. */
  readonly openThread: () => ThreadPool;
  /** Brings an explainer to the disk, where the thread looks for it. */
  readonly fetch: (explainer: string) => Promise<unknown>;
}

/** Explains off the event loop, one request after the other. */
export function createExplainer({ openThread, fetch }: ExplainerDeps): Explainer {
  let thread: ThreadPool | null = null;
  let waiting = 0;
  const run = (task: ExplainTask) => {
    thread ??= openThread();
    return thread.run<ExplainTask, Explanation[]>('explain', task, { onAbort: 'terminate' });
  };
  const runOrFetch = async (task: ExplainTask) => {
    const explanations = await orNull(run(task));
    if (explanations) return explanations;
    await fetch(task.explainer).catch((cause: unknown) => {
      throw new PlatformError('UNAVAILABLE', 'what the model is explained with cannot be fetched', { cause });
    });
    return await run(task);
  };
  return {
    explain: async (task) => {
      const { length } = task.rows;
      if (waiting + length > MAX_WAITING_ROWS) throw busy();
      waiting += length;
      try {
        return await runOrFetch(task);
      } finally {
        waiting -= length;
      }
    },
    close: async () => await thread?.close(),
  };
}

/** The explainer of a model. Throws INVALID when it has none, or for too many rows. */
export function requireExplainer(
  { modelName, version, explainerSha256, importedBy }: ExplainedModel,
  rows: number,
): string {
  if (!explainerSha256) {
    const why = importedBy === null ? 'it was registered before explanations were kept' : 'it was brought as a file';
    throw refused('no_explainer', `model ${modelName}/${version} cannot be explained: ${why}`);
  }
  if (rows > MAX_EXPLAINED_ROWS)
    throw refused('max_items', `at most ${MAX_EXPLAINED_ROWS} rows can be explained at once, not ${rows}`);
  return explainerSha256;
}
export type ExplainedModel = Pick<ServedModel, 'modelName' | 'version' | 'explainerSha256' | 'importedBy'>;

const refused = (rule: string, message: string) =>
  new PlatformError('INVALID', message, { details: [{ path: 'explain', rule, message }] });

const busy = () =>
  new PlatformError('UNAVAILABLE', 'too many rows wait to be explained; try again', { retryAfterSeconds: 1 });
