import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Role, Scope } from '../auth/roles.ts';
import type { Database, Queries } from './connect.ts';
import { apiKeys, users } from './schema/users.ts';

/** Every process that checks callers LISTENs here; the payload says nothing. */
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
  readonly users: readonly AccessUser[];
  /** Those that are neither revoked nor expired. */
  readonly apiKeys: readonly AccessKey[];
}
export type AccessRepository = ReturnType<typeof createAccessRepository>;

export const createAccessRepository = (db: Database) => ({
  /** All users and live keys. */
  load: async (): Promise<AccessState> => {
    const { name, role, disabled, tokenVersion } = users;
    const [people, keys] = await Promise.all([
      db.select({ name, role, disabled, tokenVersion }).from(users),
      db
        .select()
        .from(apiKeys)
        .where(and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)))),
    ]);
    return { users: people, apiKeys: keys.map(toAccessKey) };
  },
});

/** Tells every process, when the transaction commits, that users or keys changed. */
export const notifyAccess = (tx: Queries) => tx.execute(sql`select pg_notify(${ACCESS_CHANNEL}, '')`);

export const isUser = (name: string) => eq(users.name, name);

const toAccessKey = (row: typeof apiKeys.$inferSelect): AccessKey => ({
  id: row.id,
  userName: row.userName,
  name: row.name,
  secretSha256: row.secretSha256,
  scopes: row.scopes,
  endpoints: row.endpoints,
  expiresAt: row.expiresAt?.toISOString() ?? null,
});
