import { z } from '@hono/zod-openapi';
import type { ModelAlias } from '../../db/model-aliases.ts';
import type { ModelSummary } from '../../db/models.ts';
import type { ModelVersion as ModelVersionRow } from '../../db/schema/models.ts';

export const Version = z.coerce.number().int().min(1).max(0x7fffffff);
const Column = z.object({
  name: z.string(),
  type: z.enum(['numeric', 'boolean', 'categorical_string', 'categorical_integer']),
  nullable: z.boolean(),
});

export const Model = z
  .object({ name: z.string(), latest_version: z.int(), created_at: z.iso.datetime() })
  .openapi('Model');
export const ModelDetail = Model.extend({
  aliases: z.array(z.object({ alias: z.string(), version: z.int(), updated_at: z.iso.datetime() })),
}).openapi('ModelDetail');
export const ModelVersion = z
  .object({
    model: z.string(),
    version: z.int(),
    uri: z.string().openapi({ example: 'models:/churn/3' }),
    source: z.enum(['run', 'import']).openapi({
      description: 'Made by a run, or brought as a file: then what only a run knows is null',
    }),
    run_id: z.string().nullable(),
    imported_by: z.string().nullable(),
    algorithm: z.string().nullable(),
    hyperparameters: z.record(z.string(), z.union([z.number(), z.string()])),
    metrics: z.record(z.string(), z.number()).openapi({ description: 'On the test split' }),
    gates_passed: z.boolean().nullable().openapi({ description: 'null when no gate was tried' }),
    onnx: z.object({ sha256: z.string(), bytes: z.int() }),
    signature: z.object({
      inputs: z.array(Column).readonly(),
      entity: z.string().optional().openapi({ description: 'May come with a row: whom or what it is about' }),
      classes: z.object({ negative: z.string(), positive: z.string() }),
      decision: z.object({ negative: z.string(), positive: z.string() }),
      threshold: z.number(),
    }),
    input_example: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
    dataset: z.object({ version: z.string(), sha256: z.string() }).nullable(),
    pipeline: z.object({ name: z.string(), version: z.int(), definition_sha256: z.string() }).nullable(),
    code_commit: z.string().nullable(),
    created_at: z.iso.datetime(),
  })
  .openapi('ModelVersion');

export const toModel = (row: ModelSummary) => ({
  name: row.name,
  latest_version: row.latestVersion,
  created_at: row.createdAt.toISOString(),
});

export const toAlias = ({ alias, version, updatedAt }: ModelAlias) => ({
  alias,
  version,
  updated_at: updatedAt.toISOString(),
});

export const toModelVersion = (row: ModelVersionRow): z.output<typeof ModelVersion> => ({
  model: row.modelName,
  version: row.version,
  uri: `models:/${row.modelName}/${row.version}`,
  source: row.runId === null ? 'import' : 'run',
  run_id: row.runId,
  imported_by: row.importedBy,
  algorithm: row.algorithm,
  hyperparameters: row.hyperparameters,
  metrics: row.metrics,
  gates_passed: row.gatesPassed,
  onnx: { sha256: row.onnxSha256, bytes: row.onnxBytes },
  signature: row.signature,
  input_example: row.inputExample,
  dataset: row.datasetVersionId === null ? null : { version: row.datasetVersionId, sha256: row.datasetSha256! },
  pipeline: row.pipelineName === null ? null : pipelineOf(row),
  code_commit: row.codeCommit,
  created_at: row.createdAt.toISOString(),
});

const pipelineOf = ({ pipelineName, pipelineVersion, definitionSha256 }: ModelVersionRow) => ({
  name: pipelineName!,
  version: pipelineVersion!,
  definition_sha256: definitionSha256!,
});
