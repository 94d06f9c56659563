import { createRoute, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { guard } from '../auth/guard.ts';
import { type Access, rolesAllowed } from '../auth/roles.ts';
import { problems } from './resources/problem.ts';

type Operation<Path extends string> = Omit<RouteConfig, 'path'> & {
  readonly path: Path;
  readonly operationId: string;
  readonly middleware?: MiddlewareHandler;
};

/** A route and who may call it: the guard comes before validation, and the document says the same. */
export function declareRoute<const Path extends string, const Route extends Operation<Path>>(
  access: Access,
  route: Route,
) {
  const { middleware = [] } = route;
  const refusals = access === 'public' ? problems(429) : problems(401, 403, 429);
  const declared = {
    ...route,
    security: access === 'public' ? [] : [{ bearer: [] }],
    'x-roles': rolesAllowed(access),
    responses: { ...route.responses, ...refusals },
    middleware: [guard(access), middleware].flat(),
  };
  // What the guard adds plays no part in the typed client.
  return createRoute<Path, Route>(declared);
}
