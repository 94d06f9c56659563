import { z } from '@hono/zod-openapi';
import { hashPassword, refuseOwnName } from '../../auth/passwords.ts';
import type { UserRepository } from '../../db/users.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { declareRoute } from '../declare-route.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { Email, NewPassword, Role, toUser, User, UserName } from '../resources/user.ts';
import { requirePerson } from '../require-person.ts';
import { createRouter } from '../router.ts';

export interface UsersDeps {
  readonly users: UserRepository;
  /** Makes a change of users or keys known to this process at once. */
  readonly refreshAccess: () => Promise<void>;
}
const tags = ['users'];
const byName = { params: z.object({ name: UserName }) };
// The audit trail has these for nobody, for Anneal itself and for schedules.
const reserved = new Set(['anonymous', 'anneal', 'schedule']);

const listUsers = declareRoute(['admin'], {
  method: 'get',
  path: '/',
  operationId: 'listUsers',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(User, 'UserPage'), 'By name') },
});
const getUser = declareRoute(['admin'], {
  method: 'get',
  path: '/{name}',
  operationId: 'getUser',
  tags,
  request: byName,
  responses: { 200: json(User, 'The user'), ...problems(404) },
});
const createUser = declareRoute(['admin'], {
  method: 'post',
  path: '/',
  operationId: 'createUser',
  idempotent: true,
  tags,
  request: {
    body: jsonBody(z.strictObject({ name: UserName, email: Email, role: Role, password: NewPassword })),
  },
  responses: { 201: json(User, 'Created'), ...problems(409) },
});
const updateUser = declareRoute(['admin'], {
  method: 'patch',
  path: '/{name}',
  operationId: 'updateUser',
  description:
    'Disabling and a new password end all tokens of the user. Nobody changes their own role, state or password here, and there is always an enabled administrator.',
  tags,
  request: {
    ...byName,
    body: jsonBody(
      z
        .strictObject({ email: Email, role: Role, disabled: z.boolean(), password: NewPassword })
        .partial()
        .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
        .openapi({ minProperties: 1 }),
    ),
  },
  responses: { 200: json(User, 'The user now'), ...problems(404, 409) },
});
const deleteUser = declareRoute(['admin'], {
  method: 'delete',
  path: '/{name}',
  operationId: 'deleteUser',
  tags,
  request: byName,
  responses: { 204: { description: 'Gone, with keys and tokens' }, ...problems(404, 409) },
});

export const userRoutes = ({ users, refreshAccess }: UsersDeps) =>
  createRouter()
    .openapi(listUsers, async (c) => c.json(toPageBody(await users.list(c.req.valid('query')), toUser), 200))
    .openapi(getUser, async (c) => {
      const { name } = c.req.valid('param');
      const user = await users.find(name);
      if (!user) throw notFound('user', name);
      return c.json(toUser(user), 200);
    })
    .openapi(createUser, async (c) => {
      requirePerson(c.get('principal'));
      const { password, ...user } = c.req.valid('json');
      if (reserved.has(user.name)) throw new PlatformError('CONFLICT', `the name '${user.name}' is reserved`);
      refuseOwnName(password, user.name, 'password');
      c.set('auditDetail', { user: user.name, role: user.role });
      const created = await users.create({ ...user, passwordHash: await hashPassword(password) });
      await refreshAccess();
      c.header('location', `/api/v1/auth/users/${created.name}`);
      return c.json(toUser(created), 201);
    })
    .openapi(updateUser, async (c) => {
      const { user: caller } = requirePerson(c.get('principal'));
      const { name } = c.req.valid('param');
      const { password, ...changes } = c.req.valid('json');
      const { role, disabled, email } = changes;
      c.set('auditDetail', { role, disabled, new_email: email !== undefined, new_password: password !== undefined });
      if (name === caller && (role ?? disabled ?? password) !== undefined) throw ownAccount();
      if (password !== undefined) refuseOwnName(password, name, 'password');
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      const updated = await users.update(name, { ...changes, passwordHash });
      await refreshAccess();
      return c.json(toUser(updated), 200);
    })
    .openapi(deleteUser, async (c) => {
      const { user: caller } = requirePerson(c.get('principal'));
      const { name } = c.req.valid('param');
      if (name === caller) throw ownAccount();
      await users.delete(name);
      await refreshAccess();
      return c.body(null, 204);
    });

// Whoever holds a stolen token could make the account their own, and a slip would lock the caller out.
const ownAccount = () =>
  new PlatformError(
    'CONFLICT',
    'this is your own account: another administrator can do that, your password is /me/password',
  );
