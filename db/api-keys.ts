import { and, count, desc, eq, isNull, lt, or, sql } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { type ApiKey, apiKeys, users } from './schema/users.ts';

// Every process holds all of them in memory.
const MAX_KEYS_PER_USER = 100;

export type NewApiKey = Omit<ApiKey, 'lastUsedAt' | 'revokedAt'>;
export interface KeyListRequest extends PageRequest {
  /** Only the keys of this user. */
  readonly userName?: string | undefined;
}
export type ApiKeyRepository = ReturnType<typeof createApiKeyRepository>;

export const createApiKeyRepository = (db: Database) => ({
  /** Newest first, with those that were revoked. */
  list: async ({ userName, limit, cursor }: KeyListRequest): Promise<Page<ApiKey>> => {
    const after = readCursor(cursor, ['time', 'text']);
    const { createdAt, id } = apiKeys;
    const rows = await db
      .select()
      .from(apiKeys)
      .where(
        and(
          userName === undefined ? undefined : eq(apiKeys.userName, userName),
          after ? or(lt(createdAt, after[0]), and(eq(createdAt, after[0]), lt(id, after[1]))) : undefined,
        ),
      )
      .orderBy(desc(createdAt), desc(id))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.createdAt, row.id]);
  },

  /** Throws CONFLICT when the user has a live key of that name, or too many. */
  create: (key: NewApiKey): Promise<ApiKey> =>
    db.transaction(async (tx) => {
      const [owner] = await tx.select().from(users).where(eq(users.name, key.userName)).for('no key update');
      if (!owner) throw notFound('user', key.userName);
      const [live] = await tx
        .select({ keys: count() })
        .from(apiKeys)
        .where(and(eq(apiKeys.userName, key.userName), isNull(apiKeys.revokedAt)));
      if (live!.keys >= MAX_KEYS_PER_USER) {
        throw new PlatformError('CONFLICT', `a user can have ${MAX_KEYS_PER_USER} API keys; revoke one first`);
      }
      const [created] = await tx.insert(apiKeys).values(key).onConflictDoNothing().returning();
      if (!created) throw new PlatformError('CONFLICT', `API key '${key.name}' exists already; revoke it first`);
      return created;
    }),

  /** Of one user, or of anybody where `userName` is null. Repeats change nothing. Throws NOT_FOUND. */
  revoke: async (id: string, userName: string | null): Promise<void> => {
    const revoked = await db
      .update(apiKeys)
      .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, now())` })
      .where(and(eq(apiKeys.id, id), userName === null ? undefined : eq(apiKeys.userName, userName)))
      .returning({ id: apiKeys.id });
    if (revoked.length === 0) throw notFound('API key', id);
  },

  /** Several processes may tell in any order: the latest time stays. */
  noteUses: async (uses: readonly { readonly id: string; readonly at: Date }[]): Promise<void> => {
    const used = JSON.stringify(uses);
    await db.execute(sql`
      update api_keys set last_used_at = greatest(api_keys.last_used_at, used.at)
      from jsonb_to_recordset(${used}::jsonb) as used(id text, at timestamptz) where api_keys.id = used.id`);
  },
});
