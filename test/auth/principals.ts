import type { Principal } from '../../auth/principal.ts';
import { scopesOf } from '../../auth/roles.ts';

/** An administrator of any name, unless told otherwise. */
export const principalOf = (changes: Partial<Principal> = {}): Principal => ({
  user: 'ada',
  role: 'admin',
  scopes: scopesOf(changes.role ?? 'admin'),
  apiKey: null,
  ...changes,
});
