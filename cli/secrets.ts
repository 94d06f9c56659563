import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../lib/config.ts';
import { PlatformError } from '../lib/errors.ts';
import { refuseOpen, writeOnce } from './write-once.ts';

export interface Admin {
  readonly username: string;
  /** Never log it. Undefined when only the database knows it. */
  readonly password: string | undefined;
  /** Where the password is kept; null when that is not Anneal's business. */
  readonly passwordFile: string | null;
  /** Nobody has been told the password yet. */
  readonly isNew: boolean;
}
export interface Secrets {
  /** Signs tokens: never log it. */
  readonly jwtSecret: string;
  readonly admin: Admin;
}

const passwordFileOf = (home: string) => join(home, 'secrets', 'admin-password');

/**
 * The secrets of a start: those of the configuration, and on the embedded database own ones for the rest, made once and
 * kept in the home. Throws INVALID when a database of your own comes without JWT_SECRET_KEY, or others may read a secret.
 */
export function settleSecrets(config: Config): Secrets {
  const { ANNEAL_HOME: home, JWT_SECRET_KEY: key, ADMIN_USERNAME: username, ADMIN_PASSWORD: given } = config;
  if (config.DATABASE_URL !== undefined) {
    if (key === undefined) throw keyMissing();
    return { jwtSecret: key, admin: { username, password: given, passwordFile: null, isNew: false } };
  }
  const jwtSecret = key ?? kept(join(home, 'secrets', 'jwt-secret'), 48).value;
  if (given !== undefined) return { jwtSecret, admin: { username, password: given, passwordFile: null, isNew: false } };
  const passwordFile = passwordFileOf(home);
  const { value: password, isNew } = kept(passwordFile, 24);
  return { jwtSecret, admin: { username, password, passwordFile, isNew } };
}

/** The administrator's password as this machine knows it: from the configuration or the home. Never log it. */
export function knownAdminPassword({ ADMIN_PASSWORD: given, ANNEAL_HOME: home }: Config): string | undefined {
  const file = passwordFileOf(home);
  return given ?? (existsSync(file) ? readSecret(file) : undefined);
}

function kept(path: string, bytes: number): { value: string; isNew: boolean } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  refuseOpen(dirname(path), 0o700);
  const isNew = !existsSync(path) && writeOnce(path, `${randomBytes(bytes).toString('base64url')}\n`, 0o600);
  return { value: readSecret(path), isNew };
}

function readSecret(path: string): string {
  refuseOpen(dirname(path), 0o700);
  refuseOpen(path, 0o600);
  return readFileSync(path, 'utf8').trim();
}

const keyMissing = () =>
  new PlatformError(
    'INVALID',
    'DATABASE_URL is set, but not JWT_SECRET_KEY: tokens would not be the same for every process. Set JWT_SECRET_KEY ' +
      '(openssl rand -base64 48), and for a new database ADMIN_PASSWORD too',
    { details: [{ path: 'JWT_SECRET_KEY', rule: 'required', message: 'required when DATABASE_URL is set' }] },
  );
