import { z } from '@hono/zod-openapi';
import { makeApiKey } from '../../auth/api-key-format.ts';
import type { Principal } from '../../auth/principal.ts';
import { SCOPES } from '../../auth/roles.ts';
import type { ApiKeyRepository } from '../../db/api-keys.ts';
import type { ApiKey as ApiKeyRow } from '../../db/schema/users.ts';
import { PlatformError } from '../../lib/errors.ts';
import { declareRoute } from '../declare-route.ts';
import { requirePerson } from '../require-person.ts';
import { Name } from '../resources/name.ts';
import { PageQuery, pageOf, toPageBody } from '../resources/page.ts';
import { json, jsonBody, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';

export interface ApiKeysDeps {
  readonly apiKeys: ApiKeyRepository;
  /** Makes a change of users or keys known to this process at once. */
  readonly refreshAccess: () => Promise<void>;
  readonly now: () => Date;
}
const DAY_MS = 86_400_000;
const tags = ['api-keys'];
const Scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length);

const ApiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    user: z.string(),
    scopes: z.array(z.enum(SCOPES)).openapi({ description: 'It has those of them that its user still has' }),
    endpoints: z.array(z.string()).nullable().openapi({ description: 'Endpoints it may predict with; null = all' }),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().openapi({ description: 'To about a minute' }),
    revoked_at: z.iso.datetime().nullable(),
  })
  .openapi('ApiKey');
const NewApiKey = ApiKey.extend({
  key: z.string().openapi({ description: 'Shown this once', example: 'anneal_…' }),
}).openapi('NewApiKey');

const listApiKeys = declareRoute('authenticated', {
  method: 'get',
  path: '/',
  operationId: 'listApiKeys',
  description: 'Those of the caller; of everybody for an administrator.',
  tags,
  request: { query: PageQuery },
  responses: { 200: json(pageOf(ApiKey, 'ApiKeyPage'), 'Newest first, with revoked ones') },
});
const createApiKey = declareRoute('authenticated', {
  method: 'post',
  path: '/',
  operationId: 'createApiKey',
  description: 'A key for a machine. It can do no more than the caller, and not everything the caller can.',
  tags,
  request: {
    body: jsonBody(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower-case letters, digits and . _ -, at most 63'),
        scopes: Scopes,
        endpoints: z.array(Name).min(1).max(100).nullable().default(null),
        expires_in_days: z.int().min(1).max(3650).default(90),
      }),
    ),
  },
  responses: { 201: json(NewApiKey, 'The key'), ...problems(409) },
});
const revokeApiKey = declareRoute('authenticated', {
  method: 'delete',
  path: '/{id}',
  operationId: 'revokeApiKey',
  description: 'One of the caller’s; anybody’s for an administrator.',
  tags,
  request: { params: z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'the id of an API key') }) },
  responses: { 204: { description: 'No process accepts it any more after 5 seconds' }, ...problems(404) },
});

export const apiKeyRoutes = ({ apiKeys, refreshAccess, now }: ApiKeysDeps) =>
  createRouter()
    .openapi(listApiKeys, async (c) => {
      const userName = ownerIn(c.get('principal')) ?? undefined;
      return c.json(toPageBody(await apiKeys.list({ ...c.req.valid('query'), userName }), toApiKey), 200);
    })
    .openapi(createApiKey, async (c) => {
      const { user, scopes: own } = requirePerson(c.get('principal'));
      const { expires_in_days: days, scopes, ...wanted } = c.req.valid('json');
      c.set('auditDetail', { ...wanted, scopes, expires_in_days: days });
      const beyond = scopes.filter((scope) => !own.includes(scope));
      if (beyond.length > 0) throw new PlatformError('FORBIDDEN', `your role does not have: ${beyond.join(', ')}`);
      const { id, key, secretSha256 } = makeApiKey();
      const createdAt = now();
      const expiresAt = new Date(createdAt.getTime() + days * DAY_MS);
      const row = { ...wanted, id, secretSha256, userName: user, scopes: [...new Set(scopes)], createdAt, expiresAt };
      const created = await apiKeys.create(row);
      await refreshAccess();
      c.header('location', `/api/v1/auth/api-keys/${created.id}`);
      return c.json({ ...toApiKey(created), key }, 201);
    })
    .openapi(revokeApiKey, async (c) => {
      await apiKeys.revoke(c.req.valid('param').id, ownerIn(requirePerson(c.get('principal'))));
      await refreshAccess();
      return c.body(null, 204);
    });

/** Whose keys the caller may see; null = everybody's. */
const ownerIn = ({ user, scopes }: Principal) => (scopes.includes('admin') ? null : user);

const toApiKey = (row: ApiKeyRow): z.infer<typeof ApiKey> => ({
  id: row.id,
  name: row.name,
  user: row.userName,
  scopes: row.scopes,
  endpoints: row.endpoints,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt?.toISOString() ?? null,
  last_used_at: row.lastUsedAt?.toISOString() ?? null,
  revoked_at: row.revokedAt?.toISOString() ?? null,
});
