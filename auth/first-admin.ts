import type { UserRepository } from '../db/users.ts';
import { PlatformError } from '../lib/errors.ts';
import { hashPassword } from './passwords.ts';

export interface FirstAdmin {
  readonly name: string;
  readonly password: string | undefined;
  readonly email: string;
}

/**
 * Makes the configured administrator unless a user of that name exists; true when it did. Throws INVALID, naming the
 * variable, when there is nobody yet and no password to make one with.
 */
export async function ensureFirstAdmin(
  users: Pick<UserRepository, 'find' | 'any' | 'create'>,
  { name, password, email }: FirstAdmin,
): Promise<boolean> {
  if (await users.find(name)) return false;
  if (password === undefined) {
    if (await users.any()) return false;
    throw new PlatformError(
      'INVALID',
      'there is no user yet: set ADMIN_PASSWORD, or start everything with `anneal up`',
      {
        details: [{ path: 'ADMIN_PASSWORD', rule: 'required', message: 'is not set' }],
      },
    );
  }
  const passwordHash = await hashPassword(password);
  try {
    await users.create({ name, email, role: 'admin', passwordHash });
    return true;
  } catch (error) {
    // Another API process that starts now was first.
    if (error instanceof PlatformError && error.code === 'CONFLICT') return false;
    throw error;
  }
}
