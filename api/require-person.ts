import type { Principal } from '../auth/principal.ts';
import { PlatformError } from '../lib/errors.ts';

/** An API key may not change who may call, or a leaked one could make itself last. Throws FORBIDDEN. */
export function requirePerson(principal: Principal): Principal {
  if (principal.apiKey === null) return principal;
  throw new PlatformError('FORBIDDEN', 'an API key may not do this: log in');
}
