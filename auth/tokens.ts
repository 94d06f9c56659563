import { randomUUID, subtle } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Role } from './roles.ts';

const ISSUER = 'anneal';
const AUDIENCE = 'anneal';
const ALGORITHM = 'HS256';
/** How far clocks of different machines may be apart. */
export const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_TOKEN_CHARACTERS = 2048;

export type TokenType = 'access' | 'refresh';
export interface TokenClaims {
  readonly user: string;
  /** The user's token version when it was issued; another one now means that it was ended. */
  readonly version: number;
  readonly jti: string;
  readonly expiresAt: Date;
}
export interface TokenSettings {
  readonly secret: string;
  readonly accessMinutes: number;
  readonly refreshDays: number;
  readonly now: () => Date;
}
export interface TokenSubject {
  readonly name: string;
  readonly role: Role;
  readonly tokenVersion: number;
}
export type Tokens = ReturnType<typeof createTokens>;

/** Issues and checks signed tokens (JWT, HS256). Checking says nothing about whether the user still exists. */
export function createTokens({ secret, accessMinutes, refreshDays, now }: TokenSettings) {
  // Imported once: jose would do it for every token.
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = subtle.importKey('raw', new TextEncoder().encode(secret), hmac, false, ['sign', 'verify']);
  const lifetimeSeconds = { access: accessMinutes * 60, refresh: refreshDays * 86_400 };

  return {
    lifetimeSeconds,

    issue: async (type: TokenType, subject: TokenSubject, jti: string = randomUUID()): Promise<string> => {
      const seconds = Math.floor(now().getTime() / 1000);
      return await new SignJWT({ type, role: subject.role, ver: subject.tokenVersion })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setSubject(subject.name)
        .setJti(jti)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + lifetimeSeconds[type])
        .sign(await key);
    },

    /** null for anything but a token of this type that was issued here and has not expired. */
    verify: async (type: TokenType, token: string): Promise<TokenClaims | null> => {
      if (token.length > MAX_TOKEN_CHARACTERS || !isCanonical(token)) return null;
      try {
        const currentDate = now();
        const { payload, protectedHeader } = await jwtVerify(token, await key, {
          algorithms: [ALGORITHM],
          typ: 'JWT',
          issuer: ISSUER,
          audience: AUDIENCE,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate,
          requiredClaims: ['exp', 'iat', 'jti', 'sub'],
        });
        const { sub, jti, exp, iat, ver } = payload;
        const fromTheFuture = iat! > currentDate.getTime() / 1000 + CLOCK_TOLERANCE_SECONDS;
        // Nothing here is ever signed with a key that a header names.
        const plainHeader = Object.keys(protectedHeader).every((name) => name === 'alg' || name === 'typ');
        if (payload['type'] !== type || fromTheFuture || !plainHeader) return null;
        if (typeof sub !== 'string' || typeof jti !== 'string' || typeof ver !== 'number') return null;
        return { user: sub, version: ver, jti, expiresAt: new Date(exp! * 1000) };
      } catch {
        return null;
      }
    },
  };
}

// The last character of a signature has bits that decoding ignores: one token, one spelling.
function isCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}
