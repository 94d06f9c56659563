import type { Hono } from 'hono';
import { unauthenticated } from '../auth/guard.ts';
import type { Authenticate, Principal } from '../auth/principal.ts';
import { type Role, ROLES, type Scope, SCOPES } from '../auth/roles.ts';
import { principalOf } from './auth/principals.ts';

export interface Operation {
  readonly operationId: string;
  readonly security: readonly { readonly bearer: readonly Scope[] }[];
  readonly 'x-roles': readonly Role[];
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
type App = Pick<Hono, 'request' | 'routes'>;

const keyWith = (...scopes: Scope[]): Principal =>
  principalOf({ role: 'admin', scopes, apiKey: { id: '1', name: 'ci', endpoints: null } });
/** Everybody there is, by bearer token: each role, a key of each single scope, and a key of none. */
const CALLERS = new Map<string, Principal>([
  ...ROLES.map((role) => [role, principalOf({ user: role, role })] as const),
  ...SCOPES.map((scope) => [`key-${scope}`, keyWith(scope)] as const),
  ['key-of-none', keyWith()],
]);

export const authenticateCallers: Authenticate = (credential) => {
  const principal = CALLERS.get(credential);
  return principal ? Promise.resolve(principal) : Promise.reject(unauthenticated());
};

export const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, ...operation })),
  );

/** As in a document: `GET /runs/{id}`. */
export const routesOf = ({ routes }: App) => [
  ...new Set(
    routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{.+\})?/g, '{$1}')}`),
  ),
];

/** Calls every operation as everybody and nobody. Answers what differs from the document, one line each, and how many it tried. */
export async function callAsEverybody(app: App, document: Document) {
  const surprises: string[] = [];
  let calls = 0;
  for (const operation of operationsOf(document)) {
    const [method, path] = operation.route.split(' ') as [string, string];
    for (const caller of [
      '',
      'Bearer made-up',
      'Basic YWRhOmFkYQ==',
      ...[...CALLERS.keys()].map((name) => `Bearer ${name}`),
    ]) {
      const response = await app.request(path.replaceAll(/\{\w+\}/g, 'churn'), {
        method,
        headers: caller === '' ? {} : { authorization: caller },
      });
      const expected = expectedFor(operation, caller.replace('Bearer ', ''));
      const got = await refusalOf(response);
      calls++;
      if (got !== expected) surprises.push(`${operation.route} as '${caller}': ${response.status}, not ${expected}`);
    }
  }
  return { surprises, calls };
}

/** What a route's own rules forbid (a key that asks for a person's passwords) is an answer of the route. */
async function refusalOf(response: Response): Promise<401 | 403 | 'answered'> {
  const text = await response.text();
  if (response.status === 401) return 401;
  return response.status === 403 && text.includes('your role or key does not allow this') ? 403 : 'answered';
}

function expectedFor({ security, 'x-roles': roles }: Operation, caller: string): 401 | 403 | 'answered' {
  if (security.length === 0) return 'answered';
  const principal = CALLERS.get(caller);
  if (!principal) return 401;
  if (!principal.apiKey) return roles.includes(principal.role) ? 'answered' : 403;
  const holds = ({ bearer }: (typeof security)[number]) =>
    bearer.length === 0 || bearer.some((scope) => principal.scopes.includes(scope));
  return security.some(holds) ? 'answered' : 403;
}
