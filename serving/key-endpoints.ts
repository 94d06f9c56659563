import { mayUseEndpoint, type Principal } from '../auth/principal.ts';
import { PlatformError } from '../lib/errors.ts';

/** Throws FORBIDDEN when the caller's API key is limited to other endpoints. A pinned model is none (null). */
export function requireEndpoint(principal: Principal, endpoint: string | null): void {
  if (mayUseEndpoint(principal, endpoint)) return;
  throw new PlatformError('FORBIDDEN', 'this API key is for other endpoints');
}
