import { z } from '@hono/zod-openapi';
import { PASSWORD_LENGTH } from '../../auth/passwords.ts';
import { ROLES } from '../../auth/roles.ts';
import { USER_NAME } from '../../auth/user-name.ts';
import type { User as UserRow } from '../../db/schema/users.ts';

export const UserName = z
  .string()
  .regex(USER_NAME, 'lower-case letters, digits, dots, dashes, underscores and @, up to 64');
export const Role = z.enum(ROLES).openapi('Role');
export const Email = z.email().max(254);
/** One that is being set; `requireGoodPassword` has the last word. */
export const NewPassword = z
  .string()
  .min(PASSWORD_LENGTH.minCharacters)
  .max(PASSWORD_LENGTH.maxBytes)
  .openapi({ format: 'password' });
/** One that is only compared. */
export const GivenPassword = z.string().min(1).max(PASSWORD_LENGTH.maxBytes).openapi({ format: 'password' });

export const User = z
  .object({
    name: z.string(),
    email: z.string(),
    role: Role,
    disabled: z.boolean(),
    created_at: z.iso.datetime(),
    last_login_at: z.iso.datetime().nullable(),
  })
  .openapi('User');

export const toUser = ({ name, email, role, disabled, createdAt, lastLoginAt }: UserRow): z.infer<typeof User> => ({
  name,
  email,
  role,
  disabled,
  created_at: createdAt.toISOString(),
  last_login_at: lastLoginAt?.toISOString() ?? null,
});
