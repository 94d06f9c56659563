import { notFound, PlatformError } from '../lib/errors.ts';
import { allPages } from './all-pages.ts';
import type { Rest } from './rest.ts';
import { textTable, toTheMinute } from './text-table.ts';

/** As the API lists it, as far as it is shown. */
interface ModelVersion {
  readonly model: string;
  readonly version: number;
  readonly uri: string;
  readonly algorithm: string | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gates_passed: boolean | null;
  readonly run_id: string | null;
  readonly imported_by: string | null;
  readonly dataset: { readonly version: string } | null;
  readonly created_at: string;
}
interface ListedVersion extends ModelVersion {
  readonly aliases: readonly string[];
}
interface Endpoint {
  readonly name: string;
  readonly current: {
    readonly revision: number;
    readonly model: { readonly name: string; readonly version: number };
    readonly activated_at: string;
  } | null;
}
interface DeployedModel extends ModelVersion {
  readonly endpoint: string;
  readonly revision: number;
  readonly deployed_at: string;
}

/** Every version of every model, newest first, with the aliases that point to it. */
export async function listModels(api: Rest): Promise<ListedVersion[]> {
  const models = await allPages<{ name: string }>(api, '/api/v1/models');
  return (await Promise.all(models.map(({ name }) => versionsOf(api, name)))).flat();
}

async function versionsOf(api: Rest, name: string): Promise<ListedVersion[]> {
  const [{ aliases }, versions] = await Promise.all([
    api.get<{ aliases: { alias: string; version: number }[] }>(`/api/v1/models/${name}`),
    allPages<ModelVersion>(api, `/api/v1/models/${name}/versions`),
  ]);
  const pointing = (version: number) => aliases.flatMap((to) => (to.version === version ? [to.alias] : []));
  return versions.map((version) => ({ ...version, aliases: pointing(version.version) }));
}

export const modelsTable = (versions: readonly ListedVersion[]) =>
  textTable(
    ['model', 'version', 'aliases', 'algorithm', 'roc auc', 'gates', 'from', 'made'],
    versions.map((version) => [
      version.model,
      version.version,
      version.aliases.join(', ') || null,
      version.algorithm,
      rocAuc(version),
      gates(version),
      version.run_id ?? `a file of ${version.imported_by!}`,
      toTheMinute(version.created_at),
    ]),
  );

/** The version that was deployed last, of all models or the one named. Throws NOT_FOUND when none is deployed. */
export async function latestDeployed(api: Rest, name?: string): Promise<DeployedModel> {
  const [latest] = (await allPages<Endpoint>(api, '/api/v1/endpoints'))
    .flatMap(({ name: endpoint, current }) => (current === null ? [] : [{ endpoint, ...current }]))
    .filter(({ model }) => name === undefined || model.name === name)
    .sort((one, other) => other.activated_at.localeCompare(one.activated_at));
  if (latest === undefined) throw name === undefined ? nothingDeployed() : notFound('deployed model', name);
  const { model, endpoint, revision, activated_at: deployed_at } = latest;
  const version = await api.get<ModelVersion>(`/api/v1/models/${model.name}/versions/${model.version}`);
  return { ...version, endpoint, revision, deployed_at };
}

export const deployedText = (model: DeployedModel) =>
  [
    ['model', model.uri],
    ['endpoint', `${model.endpoint}, revision ${model.revision}, since ${toTheMinute(model.deployed_at)}`],
    ['algorithm', model.algorithm ?? '-'],
    ['from', model.run_id ?? `a file of ${model.imported_by!}`],
    ['dataset', model.dataset?.version ?? '-'],
    ['gates', gates(model) ?? '-'],
    ...Object.entries(model.metrics).map(([metric, value]) => [metric, value.toFixed(4)]),
  ]
    .map(([name, value]) => `${name!.padEnd(20)}${value!}`)
    .join('\n');

const rocAuc = ({ metrics }: ModelVersion) => metrics['roc_auc']?.toFixed(4) ?? null;
const gates = ({ gates_passed: passed }: ModelVersion) => (passed === null ? null : passed ? 'passed' : 'missed');
const nothingDeployed = () =>
  new PlatformError('NOT_FOUND', 'no model is deployed yet; train one with POST /api/v1/train, or see `npm run demo`');
