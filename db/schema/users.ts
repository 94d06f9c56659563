import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { ROLES, type Scope } from '../../auth/roles.ts';

const time = (name: string) => timestamp(name, { withTimezone: true });

export const users = pgTable('users', {
  name: text().primaryKey(),
  email: text().notNull(),
  passwordHash: text('password_hash').notNull(),
  role: text({ enum: ROLES }).notNull(),
  disabled: boolean().notNull().default(false),
  /** Carried by every token; raising it ends all tokens made before. */
  tokenVersion: integer('token_version').notNull().default(1),
  createdAt: time('created_at').notNull().defaultNow(),
  lastLoginAt: time('last_login_at'),
});
export type User = typeof users.$inferSelect;

/** One row per refresh token ever issued, until it expires. Rotation makes a family; reuse revokes all of it. */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    jti: uuid().primaryKey(),
    family: uuid().notNull(),
    userName: text('user_name')
      .notNull()
      .references(() => users.name, { onDelete: 'cascade' }),
    issuedAt: time('issued_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    /** When it was exchanged for the next one. */
    usedAt: time('used_at'),
    revokedAt: time('revoked_at'),
  },
  (table) => [index('refresh_tokens_family').on(table.family)],
);

/** Keys for machines. Only a hash of the secret is kept. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: text().primaryKey(),
    userName: text('user_name')
      .notNull()
      .references(() => users.name, { onDelete: 'cascade' }),
    name: text().notNull(),
    secretSha256: text('secret_sha256').notNull(),
    scopes: text().array().$type<Scope[]>().notNull(),
    /** Endpoints it may predict with; null = all. */
    endpoints: text().array(),
    createdAt: time('created_at').notNull().defaultNow(),
    expiresAt: time('expires_at'),
    /** To the minute. */
    lastUsedAt: time('last_used_at'),
    revokedAt: time('revoked_at'),
  },
  (table) => [
    uniqueIndex('api_keys_name')
      .on(table.userName, table.name)
      .where(sql`revoked_at is null`),
  ],
);
export type ApiKey = typeof apiKeys.$inferSelect;
