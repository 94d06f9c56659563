import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, STAGES_OF } from './messages.ts';
import type { BatchPredictInput, DeployInput, JobInput, JobKind } from './messages.ts';

export interface VisibleJob {
  readonly kind: JobKind;
  readonly input: JobInput | DeployInput | BatchPredictInput;
  readonly model: string;
  /** null for a job that no request started. */
  readonly requestSha256: string | null;
}
const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** How the Temporal Web UI lists and describes a run. */
export const visibility = ({ input, model, kind, requestSha256 }: VisibleJob) => ({
  typedSearchAttributes: [
    ...('pipeline' in input ? [{ key: keyword(SEARCH_ATTRIBUTES.pipeline), value: input.pipeline.name }] : []),
    { key: keyword(SEARCH_ATTRIBUTES.stage), value: STAGES_OF[kind][0]! },
    { key: keyword(SEARCH_ATTRIBUTES.model), value: model },
  ],
  memo: {
    kind,
    model,
    requested_by: input.requested_by,
    request_sha256: requestSha256,
    ...('pipeline' in input
      ? {
          pipeline: input.pipeline.name,
          pipeline_version: input.pipeline.version,
          definition_sha256: input.definition,
          source: input.source,
        }
      : 'endpoint' in input
        ? { version: input.model.version, endpoint: input.endpoint, override_gates: input.override_gates }
        : { version: input.model.version, source: input.source }),
  },
});
