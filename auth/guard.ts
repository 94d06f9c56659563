import type { Hono, MiddlewareHandler } from 'hono';
import type { RouterRoute } from 'hono/types';
import { createMiddleware } from 'hono/factory';
import { PlatformError } from '../lib/errors.ts';
import { actorOf, type Authenticate, isAllowed, type Principal } from './principal.ts';
import type { Access } from './roles.ts';

export interface AuthEnv {
  Variables: {
    requestId: string;
    /** Where the request comes from; `0.0.0.0` outside a server. */
    clientAddress: string;
    /** Before anything was waited for. */
    arrivedAt: Date;
    /** Of the Authorization header; null without one. Rejects when the credential does not hold. */
    identity: () => Promise<Principal | null>;
    /** Set on every route that is not public. */
    principal: Principal;
    /** Takes more from the caller's rate than the one that every request costs. Throws RATE_LIMITED. */
    charge: (cost: number) => Promise<void>;
    /** Who calls, by name; `anonymous` on public routes. */
    actor: string;
    /** The declared operation that answers; known before anybody is refused. */
    operation?: Operation;
  };
}
export interface Operation {
  readonly id: string;
  /** As declared in its router: `/{id}/cancel`. */
  readonly path: string;
  readonly isPublic: boolean;
  /** Does the audit log have every request? */
  readonly audited: boolean;
}
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const declared = new WeakMap<object, Access>();

/** Makes the caller's credential known to the guards. Checks nothing by itself: a public route ignores what it gets. */
export const identify = (authenticate: Authenticate) =>
  createMiddleware<AuthEnv>(async (c, next) => {
    const header = c.req.header('authorization');
    c.set('arrivedAt', new Date());
    c.set('actor', 'anonymous');
    c.set('identity', () => callerOf(header, authenticate));
    await next();
  });

/** Who an Authorization header proves to be; null without one. Throws UNAUTHENTICATED. */
export async function callerOf(header: string | undefined, authenticate: Authenticate): Promise<Principal | null> {
  if (header === undefined) return null;
  const credential = BEARER.exec(header)?.[1];
  if (credential === undefined) throw unauthenticated();
  return await authenticate(credential);
}

/** The policy of one route. It runs with the route, so no spelling of a path gets round it. */
export function guard(access: Access, operation?: Operation): MiddlewareHandler<AuthEnv> {
  const middleware = createMiddleware<AuthEnv>(async (c, next) => {
    c.set('operation', operation);
    if (access !== 'public') {
      c.header('cache-control', 'no-store');
      const principal = await c.get('identity')();
      if (!principal) throw unauthenticated();
      c.set('principal', principal);
      c.set('actor', actorOf(principal));
      requireAccess(access, principal);
    }
    await next();
  });
  return declareAccess(access, middleware);
}

/** Throws FORBIDDEN. */
export function requireAccess(access: Access, principal: Principal): void {
  if (!isAllowed(access, principal)) throw new PlatformError('FORBIDDEN', 'your role or key does not allow this');
}

/** Declares the policy of a handler that checks it by itself. */
export function declareAccess<H extends object>(access: Access, handler: H): H {
  declared.set(handler, access);
  return handler;
}

/**
 * Default deny: throws, naming them, for routes of the app whose first handler is not a guard. What is registered for all
 * methods must be middleware of `use`, for nothing else says who may call it.
 */
export function requireGuards(app: Pick<Hono, 'routes'>): void {
  const first = new Map<string, RouterRoute>();
  const open = new Set<string>();
  for (const route of app.routes) {
    const name = `${route.method} ${route.path}`;
    if (route.method !== 'ALL') first.set(name, first.get(name) ?? route);
    else if (!isMiddleware(route)) open.add(name);
  }
  for (const [name, { handler }] of first) if (!declared.has(handler)) open.add(name);
  if (open.size > 0) throw new Error(`routes without a policy: ${[...open].join(', ')}`);
}

const isMiddleware = ({ path, handler }: RouterRoute) => path.endsWith('*') && handler.length >= 2;

export const unauthenticated = () =>
  new PlatformError('UNAUTHENTICATED', 'a valid access token or API key is required');
