import { z } from '@hono/zod-openapi';
import type { PredictionLineage } from '../../db/predictions.ts';
import type { Prediction as PredictionRow } from '../../db/schema/predictions.ts';
import { ModelVersion, toModelVersion } from './model.ts';

export const PredictionId = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'a UUID of version 7 in lower case, as `prediction_id` of an answer',
  )
  .openapi({ example: '019aa6f5-7c3e-7d2b-9a41-2f1c6b0e8d57' });

export const Prediction = z
  .object({
    id: z.string(),
    created_at: z.iso.datetime().openapi({ description: 'The time in the id' }),
    endpoint: z.string().nullable().openapi({ description: 'null for a pinned version, which no endpoint served' }),
    revision: z.int().nullable().openapi({ description: 'Of the endpoint' }),
    model: z.object({ name: z.string(), version: z.int(), uri: z.string().openapi({ example: 'models:/churn/3' }) }),
    features: z
      .record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()]))
      .openapi({ description: 'As they were sent' }),
    entity: z.string().nullable().openapi({ description: 'Whom or what it is about, where the caller said so' }),
    probability: z.number(),
    label: z.string(),
    decision: z.string(),
    latency_us: z.int().openapi({ description: 'From the arrival of the request to its answer' }),
    caller: z.string().openapi({ description: '`ada`; `ada/ci` for her API key `ci`' }),
    request_id: z.string(),
    trace_id: z.string().nullable(),
  })
  .openapi('Prediction');

const Lineage = ModelVersion.pick({
  source: true,
  run_id: true,
  imported_by: true,
  onnx: true,
  dataset: true,
  pipeline: true,
  code_commit: true,
})
  .extend({
    deployment: z
      .object({
        run_id: z.string(),
        requested_by: z.string().nullable().openapi({ description: 'Who started the run that deployed the version' }),
        approved_by: z.string().nullable().openapi({
          description: 'Who released the version by hand; null where its gates did',
        }),
        activated_at: z.iso.datetime().nullable(),
      })
      .nullable()
      .openapi({ description: 'Of the endpoint’s revision; null for a pinned version' }),
  })
  .openapi('PredictionLineage');
export const PredictionDetail = Prediction.extend({
  lineage: Lineage.nullable().openapi({ description: 'null when the registry does not know the version' }),
}).openapi('PredictionDetail');

export const toPrediction = (row: PredictionRow): z.output<typeof Prediction> => ({
  id: row.id,
  created_at: row.createdAt.toISOString(),
  endpoint: row.endpoint,
  revision: row.revision,
  model: { name: row.model, version: row.version, uri: `models:/${row.model}/${row.version}` },
  features: row.features,
  entity: row.entity,
  probability: row.probability,
  label: row.label,
  decision: row.decision,
  latency_us: row.latencyUs,
  caller: row.caller,
  request_id: row.requestId,
  trace_id: row.traceId,
});

export function toLineage({ version, ...served }: PredictionLineage): z.output<typeof Lineage> | null {
  if (version === null) return null;
  const { source, run_id, imported_by, onnx, dataset, pipeline, code_commit } = toModelVersion(version);
  return { source, run_id, imported_by, onnx, dataset, pipeline, code_commit, deployment: toDeployment(served) };
}

const toDeployment = ({ revision, deployment }: Pick<PredictionLineage, 'revision' | 'deployment'>) =>
  revision && {
    run_id: revision.runId,
    requested_by: deployment?.requested_by ?? null,
    approved_by: deployment?.kind === 'deploy_model' ? deployment.requested_by : null,
    activated_at: revision.activatedAt?.toISOString() ?? null,
  };
