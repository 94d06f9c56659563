import { createHash } from 'node:crypto';
import type { EndpointRepository } from '../db/endpoints.ts';
import type { ModelRepository } from '../db/models.ts';
import type { DataSource } from '../pipelines/definition.ts';
import type { BatchPredictInput } from '../workflows/messages.ts';
import { canonicalBytes } from './canonical-json.ts';
import { named } from './named.ts';
import { invalid } from './router.ts';
import { checkSource, type SourceDeps } from './sources.ts';

/** One of `model` and `endpoint`, one of `dataset_version` and `source`. */
export interface BatchPredictionRequest {
  /** `models:/<name>@<alias>` or `models:/<name>/<version>` */
  readonly model?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly dataset_version?: string | undefined;
  readonly source?: DataSource | undefined;
}
export interface BatchPlanningDeps extends SourceDeps {
  readonly models: Pick<ModelRepository, 'resolve'>;
  readonly endpoints: Pick<EndpointRepository, 'get'>;
}

/** Says which model version scores what. Throws NOT_FOUND and INVALID that name the field. */
export async function planBatchPrediction(
  deps: BatchPlanningDeps,
  request: BatchPredictionRequest,
  requested_by: string,
): Promise<BatchPredictInput> {
  const { model, endpoint, dataset_version, source } = request;
  const pinned = endpoint === undefined ? await modelOf(deps, model!) : await servedBy(deps, endpoint);
  const rows: DataSource = source ?? { kind: 'dataset', dataset_version: dataset_version! };
  await checkSource(deps, rows, source === undefined ? '' : 'source');
  return { model: pinned, source: rows, requested_by };
}

async function modelOf({ models }: BatchPlanningDeps, uri: string): Promise<BatchPredictInput['model']> {
  const { modelName, version } = await named('model', () => models.resolve(uri));
  return { name: modelName, version };
}

async function servedBy({ endpoints }: BatchPlanningDeps, name: string): Promise<BatchPredictInput['model']> {
  const { current } = await named('endpoint', () => endpoints.get(name));
  if (current) return { name: current.modelName, version: current.modelVersion };
  throw invalid([{ path: 'endpoint', rule: 'active', message: `endpoint '${name}' serves no model version yet` }]);
}

/** Tells a repeat of a request from another request, wherever its alias points meanwhile. */
export const batchRequestSha256 = ({ model, endpoint, dataset_version, source }: BatchPredictionRequest) =>
  createHash('sha256')
    .update(canonicalBytes({ kind: 'batch_predict', model, endpoint, dataset_version, source }))
    .digest('hex');
