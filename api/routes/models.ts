import { z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { requireEndpoint } from '../../auth/principal.ts';
import type { ModelRepository } from '../../db/models.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { notFound } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { planDeployment } from '../deployments.ts';
import { sendArtifact } from '../downloads.ts';
import type { Jobs } from '../jobs.ts';
import type { CheckModel } from '../model-check.ts';
import { importModel } from '../model-imports.ts';
import { JobAccepted } from '../resources/job.ts';
import { Model, ModelDetail, ModelVersion, toAlias, toModel, toModelVersion, Version } from '../resources/model.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { Name } from '../resources/name.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';
import { startDeployment } from '../start-job.ts';
import { receiveUpload } from '../uploads.ts';

export interface ModelsDeps {
  readonly models: ModelRepository;
  readonly jobs: Pick<Jobs, 'startDeployment'>;
  readonly store: Pick<ArtifactStore, 'get' | 'getFile' | 'put' | 'putFile'>;
  readonly checkModel: CheckModel;
  readonly workDirectory: string;
  readonly maxModelBytes: number;
  readonly log: Pick<Logger, 'error'>;
}
const tags = ['models'];
const BYTES = 'application/octet-stream';
const byName = { params: z.object({ name: Name }) };
const byVersion = { params: z.object({ name: Name, version: Version }) };

const listModels = declareRoute(['registry'], {
  method: 'get',
  path: '/',
  operationId: 'listModels',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(Model, 'ModelPage'), 'By name') },
});
const getModel = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}',
  operationId: 'getModel',
  tags,
  request: byName,
  responses: { 200: json(ModelDetail, 'The model and its aliases'), ...problems(404) },
});
const listModelVersions = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions',
  operationId: 'listModelVersions',
  tags,
  request: { ...byName, query: PageQuery },
  responses: { 200: json(pageOf(ModelVersion, 'ModelVersionPage'), 'Newest first'), ...problems(404) },
});
// Making versions, by training or by bringing one, is one right; to decide what is served is another.
const importModelVersion = declareRoute(['train'], {
  method: 'post',
  path: '/{name}/versions',
  operationId: 'importModelVersion',
  tags,
  idempotent: 'by_content',
  request: {
    ...byName,
    body: {
      required: true,
      description: 'An ONNX file that says what it takes; docs/models.md has the rules',
      content: { [BYTES]: { schema: z.string().openapi({ format: 'binary' }) } },
    },
  },
  responses: {
    200: json(ModelVersion, 'The model has this file already: the version it is'),
    201: json(ModelVersion, 'A new version; it is not deployed'),
  },
});
const DeployRequest = z
  .strictObject({
    endpoint: Name.optional().openapi({
      description: 'Unless given, the one of its pipeline; for a model from outside, the one of its own name',
    }),
    override_gates: z.boolean().default(false).openapi({ description: 'Deploy a version that missed its gates' }),
  })
  .openapi('DeployRequest');
const deployModelVersion = declareRoute(['release'], {
  method: 'post',
  path: '/{name}/versions/{version}/deploy',
  operationId: 'deployModelVersion',
  tags,
  idempotent: true,
  request: { ...byVersion, body: jsonBody(DeployRequest) },
  responses: {
    202: json(JobAccepted, 'Started, or started before; an older version rolls back'),
    ...problems(404, 409),
  },
});
const getModelVersion = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions/{version}',
  operationId: 'getModelVersion',
  tags,
  request: byVersion,
  responses: { 200: json(ModelVersion, 'What it is and where it comes from'), ...problems(404) },
});
const getEvaluation = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions/{version}/evaluation',
  operationId: 'getModelEvaluation',
  tags,
  request: byVersion,
  responses: {
    200: json(z.record(z.string(), z.unknown()).openapi('EvaluationReport'), 'Metrics, curves, gates, comparison'),
    ...problems(404),
  },
});
const downloadModel = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions/{version}/model.onnx',
  operationId: 'downloadModel',
  audited: true,
  tags,
  request: byVersion,
  responses: {
    200: {
      description: 'Preprocessing and model in one ONNX graph',
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
    },
    ...problems(404),
  },
});

export function modelRoutes(deps: ModelsDeps) {
  const { models, store, jobs, workDirectory, maxModelBytes: maxBytes } = deps;
  return createRouter()
    .openapi(listModels, async (c) => c.json(toPageBody(await models.list(c.req.valid('query')), toModel), 200))
    .openapi(getModel, async (c) => {
      const { name } = c.req.valid('param');
      const [model, aliases] = await Promise.all([models.get(name), models.aliases(name)]);
      return c.json({ ...toModel(model), aliases: aliases.map(toAlias) }, 200);
    })
    .openapi(listModelVersions, async (c) => {
      const page = await models.listVersions(c.req.valid('param').name, c.req.valid('query'));
      return c.json(toPageBody(page, toModelVersion), 200);
    })
    .openapi(importModelVersion, async (c) => {
      const { name } = c.req.valid('param');
      if (c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== BYTES) {
        throw new HTTPException(415, { message: `send the file as ${BYTES}` });
      }
      const request = c.req.raw;
      const importedBy = c.get('actor');
      const { version, created } = await receiveUpload(
        { request, maxBytes, workDirectory, checkBytes: () => undefined },
        (file) => importModel(deps, { name, file, importedBy, signal: request.signal }),
      );
      c.set('auditDetail', { version: version.version, sha256: version.onnxSha256, bytes: version.onnxBytes });
      c.header('location', `/api/v1/models/${name}/versions/${version.version}`);
      return c.json(toModelVersion(version), created ? 201 : 200);
    })
    .openapi(deployModelVersion, async (c) => {
      const { name, version } = c.req.valid('param');
      const { endpoint, override_gates } = c.req.valid('json');
      const requested_by = c.get('actor');
      const input = await planDeployment(deps, { model: { name, version }, endpoint, override_gates, requested_by });
      requireEndpoint(c.get('principal'), input.endpoint);
      return c.json(await startDeployment(c, jobs, input), 202);
    })
    .openapi(getModelVersion, async (c) => {
      const { name, version } = c.req.valid('param');
      return c.json(toModelVersion(await models.getVersion(name, version)), 200);
    })
    .openapi(getEvaluation, async (c) => {
      const { name, version } = c.req.valid('param');
      const { evaluationSha256 } = await models.getVersion(name, version);
      if (evaluationSha256 === null) throw notFound('evaluation of model version', `${name}/${version}`);
      const report = Buffer.from(await store.get(evaluationSha256)).toString();
      return c.json(JSON.parse(report) as Record<string, unknown>, 200);
    })
    .openapi(downloadModel, async (c) => {
      const { name, version } = c.req.valid('param');
      const { onnxSha256, onnxBytes } = await models.getVersion(name, version);
      const filename = `${name}-${version}.onnx`;
      return await sendArtifact(c, deps, { sha256: onnxSha256, bytes: onnxBytes, filename, contentType: BYTES });
    });
}
