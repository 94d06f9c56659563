import { allPages } from './all-pages.ts';
import type { Rest } from './rest.ts';
import { textTable, toTheMinute } from './text-table.ts';

/** As the API lists it. */
interface PipelineVersion {
  readonly name: string;
  readonly version: number;
  readonly definition: {
    readonly target: { readonly column: string };
    readonly features: Readonly<Record<string, unknown>>;
    readonly candidates: readonly { readonly algorithm: string }[];
  };
  readonly created_by: string;
  readonly created_at: string;
}

/** The latest version of every pipeline, by name. */
export const listPipelines = (api: Rest) => allPages<PipelineVersion>(api, '/api/v1/pipelines');

export const pipelinesTable = (pipelines: readonly PipelineVersion[]) =>
  textTable(
    ['pipeline', 'version', 'target', 'features', 'algorithms', 'saved', 'by'],
    pipelines.map(({ name, version, definition: { target, features, candidates }, created_at, created_by }) => [
      name,
      version,
      target.column,
      Object.keys(features).length,
      [...new Set(candidates.map(({ algorithm }) => algorithm))].join(', '),
      toTheMinute(created_at),
      created_by,
    ]),
  );
