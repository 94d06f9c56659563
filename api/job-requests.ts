import { createHash } from 'node:crypto';
import type { DatasetRepository } from '../db/datasets.ts';
import type { PipelineRepository } from '../db/pipelines.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import type { OutgoingPolicy } from '../lib/http/outgoing.ts';
import { modelNameOf, PipelineDefinition, type DataSource, type RunOverrides } from '../pipelines/definition.ts';
import type { BatchPredictInput, DeployInput, JobInput, JobKind } from '../workflows/messages.ts';
import { canonicalBytes } from './canonical-json.ts';
import { named } from './named.ts';
import { invalid, problemsOf } from './router.ts';
import { checkSource } from './sources.ts';

export interface JobRequest {
  readonly pipeline: string;
  /** The latest unless given. */
  readonly version?: number | undefined;
  readonly dataset_version?: string | undefined;
  readonly source?: DataSource | undefined;
  readonly overrides?: RunOverrides | undefined;
}
export interface PlannedJob {
  readonly input: JobInput | DeployInput | BatchPredictInput;
  readonly model: string;
}
export interface PlanningDeps {
  readonly pipelines: Pick<PipelineRepository, 'get'>;
  readonly datasets: Pick<DatasetRepository, 'getVersion'>;
  readonly store: Pick<ArtifactStore, 'put'>;
  /** Names of SOURCE_DATABASES. */
  readonly sourceConnections: readonly string[];
  readonly outgoing: OutgoingPolicy;
}

/** Checks a request at the door and stores its effective definition. Throws NOT_FOUND and INVALID that name the field. */
export async function planJob(deps: PlanningDeps, request: JobRequest, requestedBy: string): Promise<PlannedJob> {
  const pipeline = await named('pipeline', () => deps.pipelines.get(request.pipeline, request.version));
  const definition = effectiveDefinition(pipeline.definition, request.overrides);
  const source = sourceOf(request);
  if (!source && !definition.source) {
    const message = 'give dataset_version or source: the pipeline names none of its own';
    throw invalid([{ path: 'source', rule: 'required', message }]);
  }
  await checkSource(deps, source ?? definition.source!, request.dataset_version === undefined ? 'source' : '');
  const { sha256 } = await deps.store.put(canonicalBytes(definition));
  return {
    model: modelNameOf(definition),
    input: {
      pipeline: { name: pipeline.pipelineName, version: pipeline.version },
      definition: sha256,
      source: source ?? null,
      requested_by: requestedBy,
    },
  };
}

/** The pipeline with a run's settings put in; checked as a whole again. */
export function effectiveDefinition(definition: PipelineDefinition, overrides: RunOverrides = {}): PipelineDefinition {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const parsed = PipelineDefinition.safeParse({ ...definition, ...given });
  if (!parsed.success) throw invalid(problemsOf(parsed.error, ['overrides']));
  return parsed.data;
}

/** Tells a repeat of a request from another request. */
export const requestSha256 = (kind: JobKind, request: JobRequest) => {
  const { pipeline, version, dataset_version, source, overrides } = request;
  return createHash('sha256')
    .update(canonicalBytes({ kind, pipeline, version, dataset_version, source, overrides }))
    .digest('hex');
};

const sourceOf = ({ dataset_version, source }: JobRequest): DataSource | undefined =>
  dataset_version === undefined ? source : { kind: 'dataset', dataset_version };
