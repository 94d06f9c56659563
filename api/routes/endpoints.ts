import { z } from '@hono/zod-openapi';
import type { EndpointRepository, EndpointSummary } from '../../db/endpoints.ts';
import type { EndpointRevision, ServingNodeRevision } from '../../db/schema/endpoints.ts';
import { Name } from '../resources/name.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { json, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';

export type EndpointReads = Pick<EndpointRepository, 'list' | 'get' | 'revisions' | 'nodeStates'>;
const tags = ['endpoints'];

const Revision = z
  .object({
    revision: z.int(),
    model: z.object({ name: z.string(), version: z.int(), uri: z.string() }),
    state: z.enum(['prepared', 'active', 'failed']),
    detail: z.string().nullable(),
    run_id: z.string(),
    created_at: z.iso.datetime(),
    activated_at: z.iso.datetime().nullable(),
  })
  .openapi('EndpointRevision');
const Endpoint = z
  .object({
    name: z.string(),
    current: Revision.nullable().openapi({ description: 'What is served; null before the first activation' }),
    created_at: z.iso.datetime(),
  })
  .openapi('Endpoint');
const EndpointDetail = Endpoint.extend({
  revisions: z.array(Revision).openapi({ description: 'Newest first' }),
  nodes: z
    .array(
      z.object({
        node: z.string(),
        state: z.enum(['loading', 'ready', 'serving', 'failed']),
        detail: z.string().nullable(),
        updated_at: z.iso.datetime(),
      }),
    )
    .openapi({ description: 'What each serving process did with the current revision' }),
}).openapi('EndpointDetail');

const listEndpoints = declareRoute(['registry'], {
  method: 'get',
  path: '/',
  operationId: 'listEndpoints',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(Endpoint, 'EndpointPage'), 'By name') },
});
const getEndpoint = declareRoute(['registry'], {
  method: 'get',
  path: '/{name}',
  operationId: 'getEndpoint',
  tags,
  request: { params: z.object({ name: Name }) },
  responses: { 200: json(EndpointDetail, 'Its revisions and the nodes that serve it'), ...problems(404) },
});

export const endpointRoutes = ({ endpoints }: { readonly endpoints: EndpointReads }) =>
  createRouter()
    .openapi(listEndpoints, async (c) =>
      c.json(toPageBody(await endpoints.list(c.req.valid('query')), toEndpoint), 200),
    )
    .openapi(getEndpoint, async (c) => {
      const { name } = c.req.valid('param');
      const endpoint = await endpoints.get(name);
      const [revisions, nodes] = await Promise.all([
        endpoints.revisions(name),
        endpoint.current ? endpoints.nodeStates(name, endpoint.current.revision) : [],
      ]);
      return c.json({ ...toEndpoint(endpoint), revisions: revisions.map(toRevision), nodes: nodes.map(toNode) }, 200);
    });

const toEndpoint = ({ name, current, createdAt }: EndpointSummary) => ({
  name,
  current: current && toRevision(current),
  created_at: createdAt.toISOString(),
});

const toRevision = (row: EndpointRevision) => ({
  revision: row.revision,
  model: {
    name: row.modelName,
    version: row.modelVersion,
    uri: `models:/${row.modelName}/${row.modelVersion}`,
  },
  state: row.state,
  detail: row.detail,
  run_id: row.runId,
  created_at: row.createdAt.toISOString(),
  activated_at: row.activatedAt?.toISOString() ?? null,
});

const toNode = ({ node, state, detail, updatedAt }: ServingNodeRevision) => ({
  node,
  state,
  detail,
  updated_at: updatedAt.toISOString(),
});
