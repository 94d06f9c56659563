import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { guard } from '../auth/guard.ts';
import { type Access, rolesAllowed, securityOf } from '../auth/roles.ts';
import { bodyRules } from './middleware/body-rules.ts';
import { idempotency, IdempotencyHeader } from './middleware/idempotency.ts';
import { limitAnonymous } from './middleware/anonymous-rate.ts';
import { problems } from './resources/problem.ts';

type RouteOptions<Path extends string> = Omit<RouteConfig, 'path'> & {
  readonly path: Path;
  readonly operationId: string;
  readonly middleware?: MiddlewareHandler;
  /** Is every request recorded in the audit log? All but GETs are, unless this says otherwise. */
  readonly audited?: boolean;
  /**
   * Takes an Idempotency-Key. `by_content`: it is accepted, but the content alone already says what is a repeat. Never for
   * a route whose answer holds a secret: answers are kept.
   */
  readonly idempotent?: true | 'by_content';
};

/**
 * A route and who may call it. The guard comes first, then the rules for its body, then validation; the document says the
 * same, with the answers that come of it.
 */
export function declareRoute<const Path extends string, const Route extends RouteOptions<Path>>(
  access: Access,
  route: Route,
) {
  const { middleware = [], idempotent, audited = route.method !== 'get', ...described } = route;
  const isPublic = access === 'public';
  const body = bodyRules(route);
  const declared = {
    ...described,
    request: idempotent ? { ...route.request, headers: IdempotencyHeader } : route.request,
    security: securityOf(access),
    'x-roles': rolesAllowed(access),
    responses: {
      ...problems(400, 429, 503),
      ...(isPublic ? {} : problems(401, 403)),
      ...(isPaged(route) ? problems(404) : {}), // a cursor of another list
      ...(idempotent === true ? problems(409) : {}),
      ...(body.length === 0 ? {} : problems(413, 415)),
      ...(route.request || idempotent ? problems(422) : {}),
      ...route.responses,
    },
    middleware: [
      guard(access, { id: route.operationId, path: route.path, isPublic, audited }),
      isPublic ? limitAnonymous : [],
      body,
      idempotent === true ? idempotency : [],
      middleware,
    ].flat(),
  };
  // What is added here plays no part in the typed client.
  return createRoute<Path, Route>(declared as never);
}

const isPaged = ({ request }: Pick<RouteConfig, 'request'>) =>
  request?.query instanceof z.ZodObject && 'cursor' in request.query.shape;
