import type { ModelRepository } from '../db/models.ts';
import type { ModelVersion } from '../db/schema/models.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import { PlatformError } from '../lib/errors.ts';
import { endpointNameOf, parseDefinition } from '../pipelines/definition.ts';
import type { DeployInput } from '../workflows/messages.ts';

export interface DeploymentDeps {
  readonly models: Pick<ModelRepository, 'getVersion'>;
  readonly store: Pick<ArtifactStore, 'get'>;
}
export interface DeploymentRequest extends Omit<DeployInput, 'endpoint'> {
  /** Unless given, the one its pipeline names; for a model from outside, the one of the model's own name. */
  readonly endpoint: string | undefined;
}

/** Throws NOT_FOUND, and QUALITY_GATE for a version that missed its gates, unless asked for all the same. */
export async function planDeployment(deps: DeploymentDeps, request: DeploymentRequest): Promise<DeployInput> {
  const { model, endpoint, override_gates } = request;
  const version = await deps.models.getVersion(model.name, model.version);
  if (version.gatesPassed === false && !override_gates) {
    const message = `models:/${model.name}/${model.version} missed its gates; true deploys it all the same`;
    throw new PlatformError('QUALITY_GATE', message, {
      details: [{ path: 'override_gates', rule: 'gates', message }],
    });
  }
  return { ...request, endpoint: endpoint ?? (await ownEndpoint(deps, version)) };
}

async function ownEndpoint({ store }: DeploymentDeps, { definitionSha256, modelName }: ModelVersion): Promise<string> {
  if (definitionSha256 === null) return modelName;
  return endpointNameOf(parseDefinition(await store.get(definitionSha256)));
}
