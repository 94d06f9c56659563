import { randomInt } from 'node:crypto';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Role } from '../auth/roles.ts';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { Database, Queries } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { type User, users } from './schema/users.ts';

export type NewUser = Pick<User, 'name' | 'email' | 'role' | 'passwordHash'>;
export interface UserChanges {
  readonly email?: string | undefined;
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly passwordHash?: string | undefined;
}
export type UserRepository = ReturnType<typeof createUserRepository>;

export const createUserRepository = (db: Database) => ({
  /** By name. */
  list: async ({ limit, cursor }: PageRequest): Promise<Page<User>> => {
    const after = readCursor(cursor, ['text']);
    const rows = await db
      .select()
      .from(users)
      .where(after ? gt(users.name, after[0]) : undefined)
      .orderBy(asc(users.name))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.name]);
  },

  /** null when there is none. */
  find: async (name: string): Promise<User | null> => (await db.select().from(users).where(isUser(name)))[0] ?? null,

  /** Is there any user at all? */
  any: async (): Promise<boolean> => (await db.select({ name: users.name }).from(users).limit(1)).length > 0,

  /** Throws CONFLICT when the name is taken. */
  create: async (user: NewUser): Promise<User> => {
    // Not 1: tokens of an earlier user of this name must stay dead.
    const tokenVersion = randomInt(1, 2 ** 30);
    const [created] = await db
      .insert(users)
      .values({ ...user, tokenVersion })
      .onConflictDoNothing()
      .returning();
    if (!created) throw new PlatformError('CONFLICT', `user '${user.name}' exists already`);
    return created;
  },

  /**
   * A new password and disabling end all tokens of the user. Throws NOT_FOUND, and CONFLICT when nobody would be left
   * who can administer.
   */
  update: (name: string, changes: UserChanges): Promise<User> =>
    db.transaction(async (tx) => {
      if (changes.disabled || (changes.role ?? 'admin') !== 'admin') await keepAnAdmin(tx, name);
      const endsTokens = changes.disabled || changes.passwordHash !== undefined;
      const tokenVersion = endsTokens ? nextTokenVersion : sql`${users.tokenVersion}`;
      const [updated] = await tx
        .update(users)
        .set({ ...changes, tokenVersion })
        .where(isUser(name))
        .returning();
      if (!updated) throw notFound('user', name);
      return updated;
    }),

  /** With keys and tokens. Throws NOT_FOUND, and CONFLICT when nobody would be left who can administer. */
  delete: (name: string): Promise<void> =>
    db.transaction(async (tx) => {
      await keepAnAdmin(tx, name);
      const deleted = await tx.delete(users).where(isUser(name)).returning({ name: users.name });
      if (deleted.length === 0) throw notFound('user', name);
    }),

  /** Ends every access and refresh token of the user; API keys stay. */
  endTokens: async (name: string): Promise<void> => {
    await db.update(users).set({ tokenVersion: nextTokenVersion }).where(isUser(name));
  },

  noteLogin: async (name: string, at: Date): Promise<void> => {
    await db.update(users).set({ lastLoginAt: at }).where(isUser(name));
  },
});

const isUser = (name: string) => eq(users.name, name);

const nextTokenVersion = sql`${users.tokenVersion} + 1`;

/** Locks the enabled administrators, so that two of them cannot remove each other at the same time. */
async function keepAnAdmin(tx: Queries, leaving: string): Promise<void> {
  const admins = await tx
    .select({ name: users.name })
    .from(users)
    .where(and(eq(users.role, 'admin'), eq(users.disabled, false)))
    .orderBy(asc(users.name))
    .for('update');
  if (admins.length === 1 && admins[0]!.name === leaving) {
    throw new PlatformError('CONFLICT', `'${leaving}' is the last enabled administrator`);
  }
}
