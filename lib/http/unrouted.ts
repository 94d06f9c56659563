import type { Context, Hono } from 'hono';
import { notFound, PlatformError } from '../errors.ts';

type Routes = Pick<Hono, 'routes' | 'router'>;

/** For requests that no route takes: METHOD_NOT_ALLOWED with an Allow header where another method would do, else NOT_FOUND. */
export const refuseUnrouted =
  (app: Routes) =>
  (c: Context): never => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length === 0) throw notFound('route', c.req.path);
    c.header('allow', allowed.join(', '));
    throw new PlatformError('METHOD_NOT_ALLOWED', `${c.req.path} takes ${allowed.join(', ')}`);
  };

// A path that is declared as it stands takes what is declared there, not what a parameter in its place would.
function methodsAt({ routes, router }: Routes, path: string): string[] {
  const declared = routes.filter(({ method }) => method !== 'ALL');
  const asItStands = declared.filter((route) => route.path === path.replace(/(?<=.)\/$/, ''));
  const methods = new Set((asItStands.length > 0 ? asItStands : declared).map(({ method }) => method));
  const here = [...methods].filter((method) =>
    router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  return here.includes('GET') ? [...here, 'HEAD'].sort() : here.sort();
}
