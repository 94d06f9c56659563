import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RefreshTokenRepository } from '../db/refresh-tokens.ts';
import type { UserRepository } from '../db/users.ts';
import { PlatformError } from '../lib/errors.ts';
import { verifyPassword } from './passwords.ts';
import type { Role } from './roles.ts';
import type { Tokens, TokenSubject } from './tokens.ts';
import { USER_NAME } from './user-name.ts';

const MAX_WAIT_MS = 20;

export interface SessionDeps {
  readonly users: Pick<UserRepository, 'find' | 'noteLogin' | 'endTokens'>;
  readonly refreshTokens: RefreshTokenRepository;
  readonly tokens: Tokens;
  readonly now: () => Date;
}
export interface Session {
  readonly user: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly role: Role;
}
export type Sessions = ReturnType<typeof createSessions>;

/** Logging in, going on and logging out. */
export function createSessions({ users, refreshTokens, tokens, now }: SessionDeps) {
  const nextToken = () => {
    const issuedAt = now();
    const expiresAt = new Date(issuedAt.getTime() + tokens.lifetimeSeconds.refresh * 1000);
    return { jti: randomUUID(), issuedAt, expiresAt };
  };
  const sessionOf = async (subject: TokenSubject, jti: string): Promise<Session> => {
    const [accessToken, refreshToken] = await Promise.all([
      tokens.issue('access', subject),
      tokens.issue('refresh', subject, jti),
    ]);
    return { user: subject.name, accessToken, refreshToken, role: subject.role };
  };

  const userBy = async (name: string, password: string) => {
    const user = USER_NAME.test(name) ? await users.find(name) : null;
    const right = await verifyPassword(password, user?.passwordHash ?? null);
    if (!user || user.disabled || !right) throw new PlatformError('UNAUTHENTICATED', 'wrong user name or password');
    return user;
  };

  return {
    /** Throws UNAUTHENTICATED with the same words, after the same time, whatever is wrong. */
    logIn: async (name: string, password: string): Promise<Session> => {
      const user = await userBy(name, password);
      const token = nextToken();
      await refreshTokens.add({ ...token, family: randomUUID(), userName: user.name });
      await users.noteLogin(user.name, token.issuedAt);
      return await sessionOf(user, token.jti);
    },

    /** An access token alone, for who can send the password again. Throws as `logIn` does. */
    accessToken: async (name: string, password: string): Promise<string> => {
      const user = await userBy(name, password);
      await users.noteLogin(user.name, now());
      return await tokens.issue('access', user);
    },

    /**
     * A new pair for a refresh token, which is used up. One that was used before is stolen or its successor is: its whole
     * family ends. `arrivedAt` tells that from two requests at the same time, of which one is merely refused. Throws
     * UNAUTHENTICATED.
     */
    refresh: async (token: string, arrivedAt: Date): Promise<Session> => {
      const claims = await tokens.verify('refresh', token);
      if (!claims) throw refused();
      const next = nextToken();
      const rotated = await refreshTokens.rotate({ jti: claims.jti, version: claims.version, next });
      if (rotated) {
        await passed(rotated.usedAt, now);
        return await sessionOf(rotated, next.jti);
      }
      const held = await refreshTokens.find(claims.jti);
      if (held?.usedAt && arrivedAt > held.usedAt) {
        await refreshTokens.revokeFamily(held.family);
        throw new PlatformError('UNAUTHENTICATED', 'the refresh token was used before; log in again');
      }
      throw refused();
    },

    /** Ends the session that a refresh token of this user belongs to. One that does not hold, or of another, is let be. */
    logOut: async (userName: string, token: string): Promise<void> => {
      const claims = await tokens.verify('refresh', token);
      const held = claims?.user === userName ? await refreshTokens.find(claims.jti) : null;
      if (held) await refreshTokens.revokeFamily(held.family);
    },

    /** Ends all tokens of a user. */
    logOutEverywhere: (userName: string): Promise<void> => users.endTokens(userName),
  };
}

// Whoever has got the answer comes later than the use by at least a tick of the clock, so it cannot pass for a race.
async function passed(usedAt: Date, now: () => Date): Promise<void> {
  const giveUp = performance.now() + MAX_WAIT_MS; // the database's clock may be ahead
  while (now() <= usedAt && performance.now() < giveUp) await delay(1);
}

const refused = () => new PlatformError('UNAUTHENTICATED', 'the refresh token does not hold; log in again');
