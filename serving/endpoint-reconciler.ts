import type { WatchedEndpoint, WatchedRevision } from '../db/endpoints.ts';
import type { NodeState } from '../db/serving-nodes.ts';
import { withLogFields } from '../lib/log.ts';
import { inSpan, inTraceOf } from '../lib/tracing.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { LoadModel } from './model-loader.ts';
import type { ModelSlots } from './model-slots.ts';
import { createServedSlot, type OnBatch, type ServedSlot } from './served-slot.ts';

export interface ReconcilerDeps {
  readonly slots: Pick<ModelSlots<ServedSlot>, 'get' | 'swap'>;
  readonly load: LoadModel;
  readonly report: (endpoint: string, revision: number, state: NodeState, detail: string | null) => void;
  readonly onReleaseError: (error: unknown) => void;
  readonly onBatch?: OnBatch;
  /** Before a current revision that did not load is tried again. */
  readonly retryAfterMs?: number;
}
interface Staged {
  readonly revision: number;
  readonly loaded: LoadedModel;
}
export type EndpointReconciler = ReturnType<typeof createEndpointReconciler>;

/**
 * Brings the slots to what the endpoints say: the current revision is served, the prepared one is loaded beside it. A
 * revision that does not load is reported and leaves the slot as it is. Endpoints do not wait for each other.
 */
export function createEndpointReconciler(deps: ReconcilerDeps) {
  const { slots, load, report, onReleaseError, onBatch, retryAfterMs = 10_000 } = deps;
  const desired = new Map<string, WatchedEndpoint>();
  const staged = new Map<string, Staged>();
  const failures = new Map<string, number>(); // endpoint/revision → when
  const running = new Map<string, Promise<void>>();

  const tryLoad = async (name: string, watched: WatchedRevision) => {
    const { revision, model } = watched;
    report(name, revision, 'loading', null);
    try {
      return await inSpan('serving.load', attributesOf(name, watched), () => load(model));
    } catch (error) {
      failures.set(keyOf(name, revision), performance.now());
      report(name, revision, 'failed', error instanceof Error ? error.message : String(error));
      return null;
    }
  };

  const serve = async (name: string, current: WatchedRevision) => {
    const { revision } = current;
    const served = slots.get(name);
    if (served?.revision === revision && served.model.onnxSha256 === current.model.onnxSha256) return;
    const failedAt = failures.get(keyOf(name, revision)) ?? -Infinity;
    if (performance.now() - failedAt < retryAfterMs) return;
    const ready = staged.get(name);
    const loaded = ready?.revision === revision ? ready.loaded : await tryLoad(name, current);
    if (!loaded) return;
    await inSpan('serving.swap', attributesOf(name, current), () => {
      if (ready?.revision === revision) staged.delete(name);
      slots.swap(name, createServedSlot(loaded, { endpoint: name, revision, onBatch }));
      return Promise.resolve();
    });
    report(name, revision, 'serving', null);
  };

  const stage = async (name: string, next: WatchedRevision) => {
    if (staged.get(name)?.revision === next.revision || failures.has(keyOf(name, next.revision))) return;
    const loaded = await tryLoad(name, next);
    if (!loaded) return;
    await unstage(name);
    staged.set(name, { revision: next.revision, loaded });
    report(name, next.revision, 'ready', null);
  };

  const unstage = async (name: string) => {
    const stale = staged.get(name);
    staged.delete(name);
    await stale?.loaded.release().catch(onReleaseError);
  };

  const step = async ({ name, current, next }: WatchedEndpoint) => {
    if (current) await inRunOf(current, () => serve(name, current));
    if (next) await inRunOf(next, () => stage(name, next));
    const kept = staged.get(name)?.revision;
    if (
      kept !== undefined &&
      kept !== desired.get(name)?.next?.revision &&
      kept !== desired.get(name)?.current?.revision
    )
      await unstage(name);
  };

  const run = async (name: string) => {
    let done: WatchedEndpoint | undefined;
    while (done !== desired.get(name)) {
      done = desired.get(name)!;
      await step(done);
    }
    running.delete(name);
  };

  return {
    /** Starts what has to be done and returns; what is under way for an endpoint ends first. */
    update: (endpoints: readonly WatchedEndpoint[]): void => {
      for (const endpoint of endpoints) {
        desired.set(endpoint.name, endpoint);
        if (!running.has(endpoint.name)) running.set(endpoint.name, run(endpoint.name));
      }
    },
    /** Every endpoint that is known, as last seen. */
    endpoints: (): WatchedEndpoint[] => [...desired.values()],
    /** When nothing is being loaded. */
    settled: async (): Promise<void> => {
      while (running.size > 0) await Promise.all(running.values());
    },
    /** Releases what is loaded but not served. */
    close: async (): Promise<void> => {
      await Promise.all([...staged.keys()].map(unstage));
    },
  };
}

/** Spans and log lines of `work` belong to the run that made the revision. */
const inRunOf = <T>({ traceparent, runId }: WatchedRevision, work: () => T): T =>
  inTraceOf(traceparent, () => withLogFields({ run_id: runId }, work));
const keyOf = (endpoint: string, revision: number) => `${endpoint}/${revision}`;
const attributesOf = (endpoint: string, { revision, model }: WatchedRevision) => ({
  'anneal.endpoint': endpoint,
  'anneal.revision': revision,
  'anneal.model': `models:/${model.modelName}/${model.version}`,
});
