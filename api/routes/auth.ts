import { z } from '@hono/zod-openapi';
import { hashPassword, refuseOwnName, verifyPassword } from '../../auth/passwords.ts';
import { SCOPES } from '../../auth/roles.ts';
import type { Session, Sessions } from '../../auth/sessions.ts';
import type { Tokens } from '../../auth/tokens.ts';
import type { UserRepository } from '../../db/users.ts';
import { PlatformError } from '../../lib/errors.ts';
import { declareRoute } from '../declare-route.ts';
import { requirePerson } from '../require-person.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { GivenPassword, NewPassword, Role } from '../resources/user.ts';
import { createRouter } from '../router.ts';

/** Runs an attempt that throws when the password is wrong; throws RATE_LIMITED while this user or address has to wait. */
export type LoginGuard = <T>(userName: string, address: string, attempt: () => Promise<T>) => Promise<T>;
export interface AuthDeps {
  readonly sessions: Sessions;
  readonly users: Pick<UserRepository, 'find' | 'update'>;
  readonly tokens: Pick<Tokens, 'lifetimeSeconds'>;
  readonly loginGuard: LoginGuard;
  /** Makes a change of users or keys known to this process at once. */
  readonly refreshAccess: () => Promise<void>;
}
const tags = ['auth'];
const Token = z.string().min(1).max(2048);
const TokenPair = z
  .object({
    access_token: z.string(),
    refresh_token: z.string().openapi({ description: 'Good for one use: the answer of /refresh has the next one' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().openapi({ description: 'Seconds until the access token expires' }),
    refresh_expires_in: z.int().openapi({ description: 'Seconds until the refresh token expires' }),
    role: Role,
  })
  .openapi('TokenPair');
const Me = z
  .object({
    name: z.string(),
    role: Role,
    scopes: z.array(z.enum(SCOPES)),
    api_key: z.string().nullable().openapi({ description: 'Name of the API key that was used' }),
    endpoints: z.array(z.string()).nullable().openapi({ description: 'Endpoints it may use; null = all' }),
  })
  .openapi('Me');

const login = declareRoute('public', {
  method: 'post',
  path: '/login',
  operationId: 'login',
  tags,
  request: { body: jsonBody(z.strictObject({ username: z.string().min(1).max(64), password: GivenPassword })) },
  responses: { 200: json(TokenPair, 'Logged in'), ...problems(401) },
});
const refresh = declareRoute('public', {
  method: 'post',
  path: '/refresh',
  operationId: 'refreshTokens',
  tags,
  request: { body: jsonBody(z.strictObject({ refresh_token: Token })) },
  responses: { 200: json(TokenPair, 'A new pair; the old one is used up'), ...problems(401) },
});
const logout = declareRoute('authenticated', {
  method: 'post',
  path: '/logout',
  operationId: 'logout',
  tags,
  request: {
    body: jsonBody(
      z.union([z.strictObject({ refresh_token: Token }), z.strictObject({ all: z.literal(true) })]).openapi({
        description: 'The session of a refresh token, or all tokens of the caller',
      }),
    ),
  },
  responses: { 204: { description: 'Logged out, or there was nothing to end' } },
});
const me = declareRoute('authenticated', {
  method: 'get',
  path: '/me',
  operationId: 'getMe',
  tags,
  responses: { 200: json(Me, 'Who calls') },
});
const changePassword = declareRoute('authenticated', {
  method: 'post',
  path: '/me/password',
  operationId: 'changeMyPassword',
  description: 'Ends all tokens of the caller, the one in this request too.',
  tags,
  request: { body: jsonBody(z.strictObject({ current_password: GivenPassword, new_password: NewPassword })) },
  responses: { 204: { description: 'Changed: log in again' } },
});

export const authRoutes = ({ sessions, users, tokens, loginGuard, refreshAccess }: AuthDeps) =>
  createRouter()
    .openapi(login, async (c) => {
      const { username, password } = c.req.valid('json');
      const address = c.get('clientAddress') ?? 'unknown';
      c.set('auditDetail', { username });
      const session = await loginGuard(username, address, () => sessions.logIn(username, password));
      c.set('actor', session.user);
      // Whatever another process changed about this user must not make the new token look old here.
      await refreshAccess();
      c.header('cache-control', 'no-store');
      return c.json(toTokenPair(session, tokens), 200);
    })
    .openapi(refresh, async (c) => {
      const session = await sessions.refresh(c.req.valid('json').refresh_token, c.get('arrivedAt'));
      c.set('actor', session.user);
      await refreshAccess();
      c.header('cache-control', 'no-store');
      return c.json(toTokenPair(session, tokens), 200);
    })
    .openapi(logout, async (c) => {
      const { user } = requirePerson(c.get('principal'));
      const body = c.req.valid('json');
      c.set('auditDetail', { everywhere: 'all' in body });
      if ('all' in body) await sessions.logOutEverywhere(user);
      else await sessions.logOut(user, body.refresh_token);
      await refreshAccess();
      return c.body(null, 204);
    })
    .openapi(me, (c) => {
      const { user, role, scopes, apiKey } = c.get('principal');
      const key = { api_key: apiKey?.name ?? null, endpoints: apiKey?.endpoints ? [...apiKey.endpoints] : null };
      return c.json({ name: user, role, scopes: [...scopes], ...key }, 200);
    })
    .openapi(changePassword, async (c) => {
      const { user: name } = requirePerson(c.get('principal'));
      const { current_password: current, new_password: password } = c.req.valid('json');
      const address = c.get('clientAddress') ?? 'unknown';
      c.set('auditDetail', {}); // so that a lockout is recorded
      await loginGuard(name, address, async () => {
        if (await verifyPassword(current, (await users.find(name))?.passwordHash ?? null)) return;
        throw new PlatformError('FORBIDDEN', 'current_password is wrong');
      });
      refuseOwnName(password, name, 'new_password');
      await users.update(name, { passwordHash: await hashPassword(password) });
      await refreshAccess();
      return c.body(null, 204);
    });

const toTokenPair = ({ accessToken, refreshToken, role }: Session, { lifetimeSeconds }: AuthDeps['tokens']) => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer' as const,
  expires_in: lifetimeSeconds.access,
  refresh_expires_in: lifetimeSeconds.refresh,
  role,
});
