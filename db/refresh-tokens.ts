import { eq, lt, sql } from 'drizzle-orm';
import type { Role } from '../auth/roles.ts';
import type { Database } from './connect.ts';
import { refreshTokens } from './schema/users.ts';

export interface NewRefreshToken {
  readonly jti: string;
  readonly family: string;
  readonly userName: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}
export interface Rotation {
  /** The token to use up, and the user's token version in it. */
  readonly jti: string;
  readonly version: number;
  readonly next: Pick<NewRefreshToken, 'jti' | 'issuedAt' | 'expiresAt'>;
}
export interface Rotated {
  readonly name: string;
  readonly role: Role;
  readonly tokenVersion: number;
  /** By the database's clock. */
  readonly usedAt: Date;
}
export type RefreshTokenRepository = ReturnType<typeof createRefreshTokenRepository>;

export const createRefreshTokenRepository = (db: Database) => ({
  add: async (token: NewRefreshToken): Promise<void> => {
    await db.insert(refreshTokens).values(token);
  },

  /**
   * Uses a token up and adds the next of its family, in one statement: of concurrent ones exactly one succeeds. null when
   * the token was used, revoked, is unknown, or its user may not go on.
   */
  rotate: async ({ jti, version, next }: Rotation): Promise<Rotated | null> => {
    const [row] = await db.execute<{ name: string; role: Role; used_at: string }>(sql`
      with used as (
        update refresh_tokens token set used_at = clock_timestamp() from users
        where token.jti = ${jti} and token.used_at is null
          -- One that was being issued while its family was revoked has no mark of its own.
          and not exists (select from refresh_tokens other where other.family = token.family and other.revoked_at is not null)
          and users.name = token.user_name and not users.disabled and users.token_version = ${version}
        returning token.family, token.used_at, users.name, users.role
      ), issued as (
        insert into refresh_tokens (jti, family, user_name, issued_at, expires_at)
        select ${next.jti}, family, name, ${next.issuedAt.toISOString()}, ${next.expiresAt.toISOString()} from used
      )
      select name, role, used_at from used`);
    return row ? { name: row.name, role: row.role, tokenVersion: version, usedAt: new Date(row.used_at) } : null;
  },

  find: async (jti: string) => (await db.select().from(refreshTokens).where(eq(refreshTokens.jti, jti)))[0] ?? null,

  revokeFamily: async (family: string): Promise<void> => {
    await db
      .update(refreshTokens)
      .set({ revokedAt: sql`coalesce(${refreshTokens.revokedAt}, now())` })
      .where(eq(refreshTokens.family, family));
  },

  /** Forgets those that expired before a time. */
  prune: async (before: Date): Promise<void> => {
    await db.delete(refreshTokens).where(lt(refreshTokens.expiresAt, before));
  },
});
