import { PlatformError } from '../lib/errors.ts';
import type { Access, Role, Scope } from './roles.ts';

/** Who a request comes from, once that is proved. */
export interface Principal {
  /** The user; of an API key, the one it belongs to. */
  readonly user: string;
  readonly role: Role;
  /** What this caller may do: the role's scopes, or those of an API key that the role still has. */
  readonly scopes: readonly Scope[];
  /** The API key that was used; null for an access token. */
  readonly apiKey: { readonly id: string; readonly name: string; readonly endpoints: readonly string[] | null } | null;
}

/** As the principal is named in tables, logs and the audit trail: `ada`, or `ada/ci` for her API key `ci`. */
export const actorOf = ({ user, apiKey }: Principal): string => (apiKey ? `${user}/${apiKey.name}` : user);

export function isAllowed(access: Access, principal: Principal): boolean {
  if (access === 'public' || access === 'authenticated') return true;
  return access.some((scope) => principal.scopes.includes(scope));
}

/** A key may be limited to some endpoints; tokens and other keys may use all, and what is no endpoint (null). */
export const mayUseEndpoint = ({ apiKey }: Principal, endpoint: string | null): boolean =>
  apiKey?.endpoints ? endpoint !== null && apiKey.endpoints.includes(endpoint) : true;

/** Throws FORBIDDEN when the caller's API key is limited to other endpoints. */
export function requireEndpoint(principal: Principal, endpoint: string | null): void {
  if (mayUseEndpoint(principal, endpoint)) return;
  throw new PlatformError('FORBIDDEN', 'this API key is for other endpoints');
}

/** Checks a bearer credential (access token or API key). Throws UNAUTHENTICATED, always with the same words. */
export type Authenticate = (credential: string) => Promise<Principal>;
