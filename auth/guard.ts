import type { Hono, MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { PlatformError } from '../lib/errors.ts';
import { actorOf, type Authenticate, isAllowed, type Principal } from './principal.ts';
import type { Access } from './roles.ts';

export interface AuthEnv {
  Variables: {
    requestId: string;
    /** Where the request comes from; not known outside a server. */
    clientAddress?: string;
    /** Of the Authorization header; null without one. Rejects when the credential does not hold. */
    identity: () => Promise<Principal | null>;
    /** Set on every route that is not public. */
    principal: Principal;
    /** Who calls, by name; `anonymous` on public routes. */
    actor: string;
  };
}
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const declared = new WeakMap<object, Access>();

/** Makes the caller's credential known to the guards. Checks nothing by itself: a public route ignores what it gets. */
export const identify = (authenticate: Authenticate) =>
  createMiddleware<AuthEnv>(async (c, next) => {
    const header = c.req.header('authorization');
    c.set('actor', 'anonymous');
    c.set('identity', async () => {
      if (header === undefined) return null;
      const credential = BEARER.exec(header)?.[1];
      if (credential === undefined) throw unauthenticated();
      return await authenticate(credential);
    });
    await next();
  });

/** The policy of one route. It runs with the route, so no spelling of a path gets round it. */
export function guard(access: Access): MiddlewareHandler<AuthEnv> {
  const middleware = createMiddleware<AuthEnv>(async (c, next) => {
    if (access !== 'public') {
      const principal = await c.get('identity')();
      if (!principal) throw unauthenticated();
      c.set('principal', principal);
      c.set('actor', actorOf(principal));
      if (!isAllowed(access, principal)) throw new PlatformError('FORBIDDEN', 'your role or key does not allow this');
    }
    await next();
  });
  declared.set(middleware, access);
  return middleware;
}

/** Default deny: throws, naming them, when routes of the app say nothing about who may call them. */
export function requireGuards(app: Pick<Hono, 'routes'>): void {
  const routes = app.routes.filter(({ method }) => method !== 'ALL');
  const name = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;
  const guarded = new Set(routes.filter(({ handler }) => declared.has(handler)).map(name));
  const open = [...new Set(routes.map(name))].filter((route) => !guarded.has(route));
  if (open.length > 0) throw new Error(`routes without a policy: ${open.join(', ')}`);
}

export const unauthenticated = () =>
  new PlatformError('UNAUTHENTICATED', 'a valid access token or API key is required');
