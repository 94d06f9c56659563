import { Context } from '@temporalio/activity';
import type { RegisterVersionInput } from '../db/models.ts';
import type { CandidateSpec } from '../ml/train.ts';
import type { ModelSignature, RawRow } from '../ml/signature.ts';
import type { Evaluated, MadeDataset, PreparedData, Sha256 } from './artifacts.ts';
import { heartbeating } from './heartbeat.ts';

export interface RegisterInput {
  readonly definition: Sha256;
  readonly pipeline: { readonly name: string; readonly version: number };
  readonly model_name: string;
  readonly candidate: CandidateSpec;
  readonly trained_model: Sha256;
  readonly dataset: MadeDataset;
  readonly prepared: PreparedData;
  readonly evaluated: Evaluated;
  readonly reference_profile: Sha256;
}
export interface RegisteredModel {
  readonly name: string;
  readonly version: number;
  readonly uri: string;
}
/** The served file and what belongs to it. */
export interface ExportedModel {
  readonly onnx: { readonly sha256: Sha256; readonly bytes: number };
  readonly golden_rows: Sha256;
  /** `Explainable` of ml/explain as JSON. */
  readonly explainer: Sha256;
  readonly signature: ModelSignature;
  readonly input_example: RawRow;
}
export interface RegistryDeps {
  /** Runs in the thread pool: writes the ONNX file and checks it against the trained model; MODEL_INVALID if they differ. */
  readonly exportModel: (input: ExportInput, signal: AbortSignal) => Promise<ExportedModel>;
  readonly registerVersion: (input: RegisterVersionInput) => Promise<{ name: string; version: number }>;
  readonly codeCommit: string;
}
export interface ExportInput {
  readonly definition: Sha256;
  readonly trained_model: Sha256;
  readonly prepared: PreparedData;
  readonly threshold: number;
  readonly metadata: Record<string, string>;
}
export type RegistryActivities = ReturnType<typeof createRegistryActivities>;

export const createRegistryActivities = ({ exportModel, registerVersion, codeCommit }: RegistryDeps) => ({
  /** Idempotent by run: a retry returns the version the first attempt made. */
  registerModel: async (input: RegisterInput): Promise<RegisteredModel> => {
    const runId = Context.current().info.workflowExecution!.workflowId;
    const exported = await heartbeating((signal) =>
      exportModel(
        {
          definition: input.definition,
          trained_model: input.trained_model,
          prepared: input.prepared,
          threshold: input.evaluated.threshold,
          metadata: { run_id: runId, dataset_version: input.dataset.dataset_version, code_commit: codeCommit },
        },
        signal,
      ),
    );
    const { name, version } = await registerVersion({
      modelName: input.model_name,
      runId,
      algorithm: input.candidate.algorithm,
      hyperparameters: input.candidate.hyperparameters,
      metrics: input.evaluated.metrics,
      gatesPassed: input.evaluated.passed,
      onnxSha256: exported.onnx.sha256,
      onnxBytes: exported.onnx.bytes,
      evaluationSha256: input.evaluated.report,
      referenceProfileSha256: input.reference_profile,
      goldenRowsSha256: exported.golden_rows,
      explainerSha256: exported.explainer,
      signature: exported.signature,
      inputExample: exported.input_example,
      datasetVersionId: input.dataset.dataset_version,
      datasetSha256: input.dataset.dataset_sha256,
      pipelineName: input.pipeline.name,
      pipelineVersion: input.pipeline.version,
      definitionSha256: input.definition,
      codeCommit,
    });
    return { name, version, uri: `models:/${name}/${version}` };
  },
});
