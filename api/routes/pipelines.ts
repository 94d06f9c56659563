import { z } from '@hono/zod-openapi';
import type { PipelineRepository } from '../../db/pipelines.ts';
import type { PipelineVersion as PipelineVersionRow } from '../../db/schema/pipelines.ts';
import { PipelineDefinition } from '../../pipelines/definition.ts';
import { type PipelineSaveDeps, savePipeline } from '../pipeline-saves.ts';
import { Version } from '../resources/model.ts';
import { Name } from '../resources/name.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter, invalid } from '../router.ts';

export interface PipelinesDeps extends PipelineSaveDeps {
  readonly pipelines: PipelineRepository;
}
const tags = ['pipelines'];
const params = z.object({ name: Name });
const PipelineVersion = z
  .object({
    name: z.string(),
    version: z.int(),
    definition: z.record(z.string(), z.unknown()).openapi({ description: 'With every default filled in' }),
    definition_sha256: z.string(),
    created_by: z.string(),
    created_at: z.iso.datetime(),
  })
  .openapi('PipelineVersion');

const putPipeline = declareRoute(['train'], {
  method: 'put',
  path: '/{name}',
  operationId: 'putPipeline',
  tags,
  request: { params, body: jsonBody(PipelineDefinition) },
  responses: {
    200: json(PipelineVersion, 'The definition is the latest version’s already'),
    201: json(PipelineVersion, 'A new version'),
    ...problems(404),
  },
});
const listPipelines = declareRoute(['train', 'registry'], {
  method: 'get',
  path: '/',
  operationId: 'listPipelines',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(PipelineVersion, 'PipelinePage'), 'Latest versions by name') },
});
const getPipeline = declareRoute(['train', 'registry'], {
  method: 'get',
  path: '/{name}',
  operationId: 'getPipeline',
  tags,
  request: { params, query: z.object({ version: Version.optional() }) },
  responses: { 200: json(PipelineVersion, 'The latest version unless one is named'), ...problems(404) },
});
const listPipelineVersions = declareRoute(['train', 'registry'], {
  method: 'get',
  path: '/{name}/versions',
  operationId: 'listPipelineVersions',
  tags,
  request: { params, query: PageQuery },
  responses: { 200: json(pageOf(PipelineVersion, 'PipelinePage'), 'Newest first'), ...problems(404) },
});

export const pipelineRoutes = (deps: PipelinesDeps) =>
  createRouter()
    .openapi(putPipeline, async (c) => {
      const definition = c.req.valid('json');
      const { name } = c.req.valid('param');
      if (definition.name !== name) {
        throw invalid([
          { path: 'name', rule: 'path', message: `is '${definition.name}', but the path says '${name}'` },
        ]);
      }
      const { version, created } = await savePipeline(deps, definition, c.get('actor'));
      c.set('auditDetail', { version: version.version, definition_sha256: version.definitionSha256 });
      c.header('location', `/api/v1/pipelines/${name}?version=${version.version}`);
      return c.json(toPipelineVersion(version), created ? 201 : 200);
    })
    .openapi(listPipelines, async (c) =>
      c.json(toPageBody(await deps.pipelines.list(c.req.valid('query')), toPipelineVersion), 200),
    )
    .openapi(getPipeline, async (c) => {
      const version = await deps.pipelines.get(c.req.valid('param').name, c.req.valid('query').version);
      return c.json(toPipelineVersion(version), 200);
    })
    .openapi(listPipelineVersions, async (c) => {
      const page = await deps.pipelines.listVersions(c.req.valid('param').name, c.req.valid('query'));
      return c.json(toPageBody(page, toPipelineVersion), 200);
    });

const toPipelineVersion = (row: PipelineVersionRow) => ({
  name: row.pipelineName,
  version: row.version,
  definition: row.definition as Record<string, unknown>,
  definition_sha256: row.definitionSha256,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
});
