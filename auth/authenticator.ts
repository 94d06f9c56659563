import { timingSafeEqual } from 'node:crypto';
import type { AccessDirectory } from './access-directory.ts';
import { readApiKey } from './api-key-format.ts';
import { unauthenticated } from './guard.ts';
import type { Authenticate, Principal } from './principal.ts';
import { scopesOf } from './roles.ts';
import type { TokenClaims, Tokens } from './tokens.ts';

export interface AuthenticatorDeps {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly directory: Pick<AccessDirectory, 'user' | 'apiKey'>;
  readonly now: () => Date;
  /** Told of every use of an API key. */
  readonly keyUsed?: (id: string) => void;
  readonly maxRememberedTokens?: number;
}

/** Checks access tokens and API keys against the directory; asks no database. */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticate {
  const { tokens, directory, now, keyUsed, maxRememberedTokens = 10_000 } = deps;
  // Signatures are checked once; whether the user may still call is looked up every time.
  const verified = new Map<string, TokenClaims>();

  const claimsOf = async (token: string): Promise<TokenClaims | null> => {
    const known = verified.get(token);
    if (known) {
      if (known.expiresAt.getTime() > now().getTime()) return known;
      verified.delete(token);
    }
    const claims = await tokens.verify('access', token);
    if (!claims) return null;
    if (verified.size >= maxRememberedTokens) verified.delete(verified.keys().next().value!);
    verified.set(token, claims);
    return claims;
  };
  const byToken = async (token: string): Promise<Principal | null> => {
    const claims = await claimsOf(token);
    const user = claims && directory.user(claims.user);
    if (!user || user.disabled || user.tokenVersion !== claims.version) return null;
    return { user: user.name, role: user.role, scopes: scopesOf(user.role), apiKey: null };
  };
  const byApiKey = ({ id, secretHash }: NonNullable<ReturnType<typeof readApiKey>>): Principal | null => {
    const key = directory.apiKey(id);
    if (!key || !timingSafeEqual(key.secretHash, secretHash) || key.expiresMs <= now().getTime()) return null;
    const user = directory.user(key.userName);
    if (!user || user.disabled) return null;
    keyUsed?.(id);
    const scopes = scopesOf(user.role).filter((scope) => key.scopes.includes(scope));
    return { user: user.name, role: user.role, scopes, apiKey: { id, name: key.name, endpoints: key.endpoints } };
  };

  return async (credential) => {
    const apiKey = readApiKey(credential);
    const principal = apiKey ? byApiKey(apiKey) : await byToken(credential);
    if (!principal) throw unauthenticated();
    return principal;
  };
}
