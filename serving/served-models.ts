import type { ServedSlot } from './served-slot.ts';

/** What runs, for people and monitors. */
export const metaOf = ({ endpoint, revision, model }: ServedSlot) => ({
  endpoint,
  revision,
  model: { name: model.modelName, version: model.version },
  threshold: model.signature.threshold,
  commit: model.codeCommit,
});

/** Everything a served answer came from. */
export const lineageOf = ({ endpoint, revision, model }: ServedSlot) => ({
  endpoint,
  revision,
  model: { name: model.modelName, version: model.version, uri: `models:/${model.modelName}/${model.version}` },
  source: model.runId === null ? ('import' as const) : ('run' as const),
  run_id: model.runId,
  imported_by: model.importedBy,
  ...(model.runId === null ? { data: null, code: null, pipeline: null } : originOf(model)),
  algorithm: model.algorithm,
  hyperparameters: model.hyperparameters,
  metrics: model.metrics,
  signature: model.signature,
  artifacts: {
    onnx_sha256: model.onnxSha256,
    evaluation_sha256: model.evaluationSha256,
    reference_profile_sha256: model.referenceProfileSha256,
    golden_rows_sha256: model.goldenRowsSha256,
    explainer_sha256: model.explainerSha256 ?? null,
  },
  created_at: model.createdAt,
});

const originOf = (model: ServedSlot['model']) => ({
  data: { dataset_version: model.datasetVersionId, sha256: model.datasetSha256 },
  code: { commit: model.codeCommit },
  pipeline: { name: model.pipelineName, version: model.pipelineVersion, definition_sha256: model.definitionSha256 },
});

/** How to call it. */
export const usageOf = (slot: ServedSlot, isDefault: boolean) => ({
  ...metaOf(slot),
  default: isDefault,
  inputs: slot.model.signature.inputs,
  input_example: slot.model.inputExample,
});
