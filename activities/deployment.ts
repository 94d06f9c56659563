import { ApplicationFailure, Context, sleep } from '@temporalio/activity';
import type { ActivateInput, PrepareInput, RevisionStatus } from '../db/endpoint-revisions.ts';
import type { ServingNodeRevision } from '../db/schema/endpoints.ts';
import { PlatformError } from '../lib/errors.ts';

export interface PrepareDeploymentInput {
  readonly run_id: string;
  readonly endpoint: string;
  readonly model: { readonly name: string; readonly version: number };
}
export interface PreparedDeployment {
  readonly revision: number;
  /** Where `production` stood when the deployment began; activation moves it from there. */
  readonly previous_alias_version: number | null;
}
export interface EndpointRevisionInput {
  readonly endpoint: string;
  readonly revision: number;
}
export interface ActivateDeploymentInput extends PrepareDeploymentInput, PreparedDeployment {
  /** Absent in runs that began before it was recorded. */
  readonly requested_by?: string;
}
export interface DeploymentDeps {
  readonly prepareRevision: (input: PrepareInput) => Promise<{ revision: number }>;
  readonly activate: (input: ActivateInput) => Promise<unknown>;
  readonly failRevision: (endpoint: string, revision: number, detail: string) => Promise<void>;
  readonly revisionStatus: (endpoint: string, revision: number) => Promise<RevisionStatus>;
  /** Nodes seen within the last 5 s. */
  readonly liveNodes: () => Promise<string[]>;
  readonly nodeStates: (endpoint: string, revision: number) => Promise<ServingNodeRevision[]>;
  /** Version that `models:/<name>@production` names; null when it names none. */
  readonly productionVersion: (modelName: string) => Promise<number | null>;
  /** W3C traceparent of the running activity. */
  readonly traceparent: () => string | null;
  readonly timing?: Partial<Timing>;
}
interface Timing {
  readonly pollMs: number;
  /** How long no node may be alive, for example while the first one starts. */
  readonly aliveGraceMs: number;
  /** How long the slowest node may take. */
  readonly timeoutMs: number;
}
const TIMING: Timing = { pollMs: 150, aliveGraceMs: 15_000, timeoutMs: 120_000 };
export type DeploymentActivities = ReturnType<typeof createDeploymentActivities>;

/** The worker's side of the deployment handshake. Failures are DEPLOYMENT_FAILED or CONFLICT and are not retried. */
export const createDeploymentActivities = (deps: DeploymentDeps) => {
  const fail = async ({ endpoint, revision }: EndpointRevisionInput, reason: string): Promise<never> => {
    await deps.failRevision(endpoint, revision, reason);
    throw ApplicationFailure.nonRetryable(reason, 'DEPLOYMENT_FAILED');
  };

  return {
    /** Tells every serving process to load the version beside what it serves. Idempotent by run. */
    prepareDeployment: async ({ run_id, endpoint, model }: PrepareDeploymentInput): Promise<PreparedDeployment> => {
      const previous_alias_version = await deps.productionVersion(model.name);
      const { revision } = await deps.prepareRevision({
        endpoint,
        runId: run_id,
        modelName: model.name,
        modelVersion: model.version,
        traceparent: deps.traceparent(),
      });
      return { revision, previous_alias_version };
    },

    /** Ends when every live node has loaded and checked the revision; else the revision fails with the node's reason. */
    awaitNodesReady: async (input: EndpointRevisionInput): Promise<{ nodes: string[] }> =>
      await pollNodes(deps, input, ['ready', 'serving'], {
        check: ({ state, detail, supersededBy }) => {
          if (state === 'failed') return detail ?? 'the revision failed';
          return supersededBy === null ? null : `superseded by revision ${supersededBy}`;
        },
        onFailure: (reason) => fail(input, reason),
      }),

    /** The revision becomes current and `production` names its model, both or neither. A repeat changes nothing. */
    activateDeployment: async (input: ActivateDeploymentInput): Promise<void> => {
      const { run_id: runId, endpoint, revision, model, previous_alias_version: from, requested_by = 'anneal' } = input;
      const alias = { modelName: model.name, alias: 'production', from, to: model.version, runId };
      try {
        await deps.activate({ endpoint, revision, alias, requestedBy: requested_by });
      } catch (error) {
        if (!(error instanceof PlatformError && error.code === 'CONFLICT')) throw error;
        await deps.failRevision(endpoint, revision, error.message);
        throw ApplicationFailure.nonRetryable(error.message, 'CONFLICT');
      }
    },

    /** Ends when every live node answers with the revision (or a newer one has taken its place). */
    awaitNodesServing: async (input: EndpointRevisionInput): Promise<{ nodes: string[] }> =>
      await pollNodes(deps, input, ['serving'], {
        check: () => null,
        isOver: ({ supersededBy }) => supersededBy !== null,
        onFailure: (reason) => fail(input, reason),
      }),

    /** Ends a revision that will not be activated, so that nodes release it. Harmless for an active one. */
    abandonDeployment: async ({ endpoint, revision, reason }: EndpointRevisionInput & { reason: string }) =>
      await deps.failRevision(endpoint, revision, reason),
  };
};

interface PollRules {
  /** A reason to give up, or null. */
  readonly check: (status: RevisionStatus) => string | null;
  readonly isOver?: (status: RevisionStatus) => boolean;
  readonly onFailure: (reason: string) => Promise<never>;
}

async function pollNodes(
  deps: DeploymentDeps,
  { endpoint, revision }: EndpointRevisionInput,
  wanted: readonly ServingNodeRevision['state'][],
  { check, isOver, onFailure }: PollRules,
): Promise<{ nodes: string[] }> {
  const { pollMs, aliveGraceMs, timeoutMs } = { ...TIMING, ...deps.timing };
  const started = performance.now();
  let lastAlive = started;
  for (;;) {
    const status = await deps.revisionStatus(endpoint, revision);
    const live = await deps.liveNodes();
    const reports = new Map((await deps.nodeStates(endpoint, revision)).map((row) => [row.node, row]));
    const waiting = live.filter((node) => !wanted.includes(reports.get(node)?.state ?? 'loading'));
    const now = performance.now();
    if (live.length > 0) lastAlive = now;

    const failed = live.map((node) => reports.get(node)).find((row) => row?.state === 'failed');
    const reason = check(status) ?? (failed && `${failed.node}: ${failed.detail ?? 'failed'}`);
    if (reason) return await onFailure(reason);
    if (isOver?.(status)) return { nodes: [] };
    // An empty list is not "all": somebody has to serve.
    if (live.length > 0 && waiting.length === 0) return { nodes: live };
    if (now - lastAlive > aliveGraceMs) return await onFailure(`no serving process is alive to load ${endpoint}`);
    if (now - started > timeoutMs) return await onFailure(`still not ${wanted[0]!}: ${waiting.join(', ')}`);
    Context.current().heartbeat({ waiting });
    await sleep(pollMs);
  }
}
