import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from '@hono/zod-openapi';
import type { ModelRepository } from '../../db/models.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import {
  Model,
  ModelDetail,
  ModelName,
  ModelVersion,
  toAlias,
  toModel,
  toModelVersion,
  Version,
} from '../resources/model.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';

export interface ModelsDeps {
  readonly models: ModelRepository;
  readonly store: Pick<ArtifactStore, 'get' | 'getFile'>;
  readonly workDirectory: string;
}
const tags = ['models'];
const byName = { params: z.object({ name: ModelName }) };
const byVersion = { params: z.object({ name: ModelName, version: Version }) };

const listModels = declareRoute(['registry'], {
  method: 'get',
  path: '/',
  operationId: 'listModels',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(Model, 'ModelPage'), 'By name'), ...problems(422, 503) },
});
const getModel = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}',
  operationId: 'getModel',
  tags,
  request: byName,
  responses: { 200: json(ModelDetail, 'The model and its aliases'), ...problems(404, 422, 503) },
});
const listModelVersions = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions',
  operationId: 'listModelVersions',
  tags,
  request: { ...byName, query: PageQuery },
  responses: { 200: json(pageOf(ModelVersion, 'ModelVersionPage'), 'Newest first'), ...problems(404, 422, 503) },
});
const getModelVersion = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions/{version}',
  operationId: 'getModelVersion',
  tags,
  request: byVersion,
  responses: { 200: json(ModelVersion, 'What it is and where it comes from'), ...problems(404, 422, 503) },
});
const getEvaluation = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}/versions/{version}/evaluation',
  operationId: 'getModelEvaluation',
  tags,
  request: byVersion,
  responses: {
    200: json(z.record(z.string(), z.unknown()).openapi('EvaluationReport'), 'Metrics, curves, gates, comparison'),
    ...problems(404, 422, 503),
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
    ...problems(404, 422, 503),
  },
});

export const modelRoutes = ({ models, store, workDirectory }: ModelsDeps) =>
  createRouter()
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
    .openapi(getModelVersion, async (c) => {
      const { name, version } = c.req.valid('param');
      return c.json(toModelVersion(await models.getVersion(name, version)), 200);
    })
    .openapi(getEvaluation, async (c) => {
      const { name, version } = c.req.valid('param');
      const { evaluationSha256 } = await models.getVersion(name, version);
      const report = Buffer.from(await store.get(evaluationSha256)).toString();
      return c.json(JSON.parse(report) as Record<string, unknown>, 200);
    })
    .openapi(downloadModel, async (c) => {
      const { name, version } = c.req.valid('param');
      const { onnxSha256, onnxBytes } = await models.getVersion(name, version);
      c.set('auditDetail', { sha256: onnxSha256 });
      c.header('content-type', 'application/octet-stream');
      c.header('content-length', String(onnxBytes));
      c.header('content-disposition', `attachment; filename="${name}-${version}.onnx"`);
      c.header('etag', `"${onnxSha256}"`);
      if (c.req.raw.method === 'HEAD') return c.body(null, 200);
      return c.body(await openArtifact(store, onnxSha256, workDirectory), 200);
    });

/** A verified artifact as a stream. Its file has no name any more, so nothing is left when the reader goes away. */
async function openArtifact(store: Pick<ArtifactStore, 'getFile'>, sha256: string, workDirectory: string) {
  const directory = await mkdtemp(join(workDirectory, 'download-'));
  try {
    const path = join(directory, 'artifact');
    await store.getFile(sha256, path);
    const file = await open(path);
    return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
