import { and, gt, isNull, or, sql } from 'drizzle-orm';
import type { Role, Scope } from '../auth/roles.ts';
import type { Database } from './connect.ts';
import { accessRevision } from './schema/access-revision.ts';
import { type ApiKey, apiKeys, users } from './schema/users.ts';

/** Every process that checks callers LISTENs here; triggers notify, without a payload. */
export const ACCESS_CHANNEL = 'access';

export interface AccessUser {
  readonly name: string;
  readonly role: Role;
  readonly disabled: boolean;
  readonly tokenVersion: number;
}
export interface AccessKey {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
  readonly secretSha256: string;
  readonly scopes: readonly Scope[];
  readonly endpoints: readonly string[] | null;
  /** ISO 8601; null = never. */
  readonly expiresAt: string | null;
}
/** What decides who may call, as plain JSON: a serving process keeps it on disk. */
export interface AccessState {
  readonly revision: number;
  readonly users: readonly AccessUser[];
  /** Those that are neither revoked nor expired. */
  readonly apiKeys: readonly AccessKey[];
}
export type AccessRepository = ReturnType<typeof createAccessRepository>;

export const createAccessRepository = (db: Database) => ({
  /** All users and live keys; null when nothing has changed since `known`. */
  load: async (known: number | null): Promise<AccessState | null> => {
    // Read first: a change that comes in between is read now, and once more next time.
    const [state] = await db.select({ revision: accessRevision.revision }).from(accessRevision);
    if (!state) throw new Error('the table access_revision has lost its row');
    if (state.revision === known) return null;
    const { name, role, disabled, tokenVersion } = users;
    const [people, keys] = await Promise.all([
      db.select({ name, role, disabled, tokenVersion }).from(users),
      db
        .select()
        .from(apiKeys)
        .where(and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)))),
    ]);
    return { revision: state.revision, users: people, apiKeys: keys.map(toAccessKey) };
  },
});

const toAccessKey = (row: ApiKey): AccessKey => ({
  id: row.id,
  userName: row.userName,
  name: row.name,
  secretSha256: row.secretSha256,
  scopes: row.scopes,
  endpoints: row.endpoints,
  expiresAt: row.expiresAt?.toISOString() ?? null,
});
