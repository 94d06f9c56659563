import { Writable } from 'node:stream';
import { expect } from 'vitest';
import { startAccessDirectory } from '../../auth/access-directory.ts';
import { createAuthenticator } from '../../auth/authenticator.ts';
import { createKeyUses } from '../../auth/key-uses.ts';
import { createSessions } from '../../auth/sessions.ts';
import { createTokens } from '../../auth/tokens.ts';
import { ACCESS_CHANNEL, createAccessRepository } from '../../db/access.ts';
import { createApiKeyRepository } from '../../db/api-keys.ts';
import { createAuditLog } from '../../db/audit-log.ts';
import { connect } from '../../db/connect.ts';
import { createIdempotencyKeyRepository } from '../../db/idempotency-keys.ts';
import { createRefreshTokenRepository } from '../../db/refresh-tokens.ts';
import { createUserRepository } from '../../db/users.ts';
import { createLogger } from '../../lib/log.ts';
import { createTestApp } from '../api/doubles.ts';

export const JWT_SECRET = 'a-key-for-tests-only-of-more-than-32-characters';
export interface TokenPair {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly role: string;
}
export type IdentityProcess = Awaited<ReturnType<typeof startIdentityProcess>>;

/** All of an API process that knows who calls and records what they do, on connections of its own; the rest of the API is doubles. */
export async function startIdentityProcess(databaseUrl: string, { notified = true, refreshDays = 7 } = {}) {
  const lines: string[] = [];
  const destination = new Writable({ write: (line, _, done) => (lines.push(String(line)), done()) });
  const log = createLogger({ service: 'test', level: 'trace', destination });
  const { db, sql, close } = connect(databaseUrl);
  const now = () => new Date();
  const users = createUserRepository(db);
  const apiKeys = createApiKeyRepository(db);
  const refreshTokens = createRefreshTokenRepository(db);
  const tokens = createTokens({ secret: JWT_SECRET, accessMinutes: 30, refreshDays, now });
  const deaf = () => Promise.resolve({ unlisten: () => Promise.resolve() });
  const directory = await startAccessDirectory({
    load: createAccessRepository(db).load,
    listen: notified ? (onChange) => sql.listen(ACCESS_CHANNEL, onChange) : deaf,
    log,
    // Long enough that only a notification can be the reason for a change that is seen.
    pollMs: notified ? 3_600_000 : 2_000,
  });
  const keyUses = createKeyUses(apiKeys.noteUses, 100);
  const auditLog = createAuditLog(db);
  const { app } = createTestApp({
    log,
    auditLog,
    idempotencyKeys: createIdempotencyKeyRepository(db),
    authenticate: createAuthenticator({ tokens, directory, now, keyUsed: keyUses.used }),
    auth: {
      sessions: createSessions({ users, refreshTokens, tokens, now }),
      users,
      apiKeys,
      tokens,
      loginGuard: (_userName, _address, attempt) => attempt(),
      refreshAccess: directory.refresh,
      now,
    },
  });

  const call = async (method: string, path: string, credential: string | null, body?: unknown) => {
    const response = await app.request(`/api/v1/auth${path}`, {
      method,
      headers: { authorization: credential === null ? '' : `Bearer ${credential}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> };
  };
  const logIn = async (username: string, password: string): Promise<TokenPair> => {
    const { status, body } = await call('POST', '/login', null, { username, password });
    expect(status).toBe(200);
    return body as unknown as TokenPair;
  };
  return {
    app,
    users,
    apiKeys,
    refreshTokens,
    tokens,
    auditLog,
    directory,
    lines,
    call,
    logIn,
    refresh: (token: string) => call('POST', '/refresh', null, { refresh_token: token }),
    statusOf: async (credential: string) => (await call('GET', '/me', credential)).status,
    close: async () => {
      await keyUses.stop();
      await directory.stop();
      await close();
    },
  };
}
