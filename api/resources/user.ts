import { z } from '@hono/zod-openapi';
import { PASSWORD_LENGTH } from '../../auth/passwords.ts';
import { ROLES } from '../../auth/roles.ts';
import { USER_NAME } from '../../auth/user-name.ts';
import type { User as UserRow } from '../../db/schema/users.ts';

export const UserName = z.string().regex(USER_NAME, 'lower-case letters, digits and . _ @ -, at most 64');
export const Role = z.enum(ROLES).openapi('Role');
export const Email = z
  .string()
  .regex(/^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}$/, 'an address as ada@example.com');

/** The document counts characters, JavaScript halves of them. */
const secretText = (minLength: number, maxLength: number) =>
  z
    .string()
    .refine((text) => [...text].length >= minLength, `at least ${minLength} characters`)
    .refine((text) => [...text].length <= maxLength, `at most ${maxLength} characters`)
    .openapi({ format: 'password', minLength, maxLength });
export const NewPassword = secretText(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max);
/** One that is only compared: whatever was allowed once. */
export const GivenPassword = secretText(1, PASSWORD_LENGTH.max);

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
