import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { refuseOpen, writeOnce } from './write-once.ts';

export const COMPOSE_FILE = join(import.meta.dirname, '..', 'docker-compose.yml');
// A server's access key has 20 characters at AWS, and some servers take no longer one.
const BYTES: Readonly<Record<string, number>> = { s3_access_key: 10, s3_secret_key: 20 };
const OTHER_BYTES = 32;

/**
 * Writes the secrets of the compose file that are not there yet, each once, with random content; those that are there stay
 * as they are. They lie where the compose file says, or in the folder given. Answers the paths that were written. Throws
 * INVALID when others may enter the folder.
 */
export function writeComposeSecrets(folder?: string, composeFile = COMPOSE_FILE): string[] {
  const { secrets } = parse(readFileSync(composeFile, 'utf8'), { merge: true }) as Compose;
  const paths = new Map(Object.entries(secrets).map(([name, { file }]) => [name, place(file, folder, composeFile)]));
  for (const parent of new Set([...paths.values()].map(dirname))) {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    refuseOpen(parent, 0o700);
  }
  // The URL of the database holds a password that the database must have: it is written after it.
  const names = [...paths.keys()].sort(
    (one, other) => Number(one === 'database_url') - Number(other === 'database_url'),
  );
  return names.flatMap((name) => (writeSecret(name, paths) ? [paths.get(name)!] : []));
}

interface Compose {
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const place = (file: string, folder: string | undefined, composeFile: string) =>
  folder === undefined ? resolve(dirname(composeFile), file) : join(resolve(folder), basename(file));

// The folder keeps others out; containers run as users of their own and must be able to read the file itself.
function writeSecret(name: string, paths: ReadonlyMap<string, string>): boolean {
  const path = paths.get(name)!;
  return !existsSync(path) && writeOnce(path, `${contentOf(name, paths)}\n`, 0o644);
}

function contentOf(name: string, paths: ReadonlyMap<string, string>): string {
  if (name === 'database_url')
    return `postgres://anneal:${readSecret(paths, 'postgres_password')}@postgres:5432/anneal`;
  const known = name === 'postgres_password' ? passwordOfUrl(paths.get('database_url')) : undefined;
  return known ?? randomBytes(BYTES[name] ?? OTHER_BYTES).toString('hex');
}

/** When only the URL is there, its password is the one that is missing. */
function passwordOfUrl(path: string | undefined): string | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  return decodeURIComponent(new URL(readFileSync(path, 'utf8').trim()).password);
}

const readSecret = (paths: ReadonlyMap<string, string>, name: string) =>
  encodeURIComponent(readFileSync(paths.get(name)!, 'utf8').trim());
