import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { COMPOSE_FILE, writeComposeSecrets } from '../../cli/compose-secrets.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder } from '../platform.ts';

async function folder() {
  const { path, remove } = await temporaryFolder('secrets');
  onTestFinished(remove);
  const at = join(path, 'secrets');
  return { at, read: async (name: string) => (await readFile(join(at, name), 'utf8')).trim() };
}
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const { secrets } = parse(await readFile(COMPOSE_FILE, 'utf8'), { merge: true }) as {
  secrets: Record<string, unknown>;
};

test('every secret of the compose file is written once, in a folder that keeps others out', async () => {
  const { at } = await folder();
  const written = writeComposeSecrets(at);
  expect(written.sort()).toEqual(
    Object.keys(secrets)
      .map((name) => join(at, name))
      .sort(),
  );
  expect((await readdir(at)).sort()).toEqual(Object.keys(secrets).sort());
  expect(await modeOf(at)).toBe(0o700);
  const texts = await Promise.all(
    written.map(async (path) => [await modeOf(path), await readFile(path, 'utf8')] as const),
  );
  expect(new Set(texts.map(([mode]) => mode))).toEqual(new Set([0o644]));
  expect(new Set(texts.map(([, text]) => text)).size).toBe(texts.length);
  expect(writeComposeSecrets(at)).toEqual([]);
  const after = await Promise.all(written.map((path) => readFile(path, 'utf8')));
  expect(after).toEqual(texts.map(([, text]) => text));
});

test('files are readable by the users of containers whatever the umask is', async () => {
  const { at } = await folder();
  const before = process.umask(0o077);
  try {
    writeComposeSecrets(at);
  } finally {
    process.umask(before);
  }
  expect(await modeOf(join(at, 'admin_password'))).toBe(0o644);
});

test('the services take what was written, and two folders have nothing in common', async () => {
  const [one, other] = [await folder(), await folder()];
  for (const { at } of [one, other]) writeComposeSecrets(at);
  const files = { DATABASE_URL: 'database_url', JWT_SECRET_KEY: 'jwt_secret_key', ADMIN_PASSWORD: 'admin_password', S3_ACCESS_KEY: 's3_access_key', S3_SECRET_KEY: 's3_secret_key' }; // prettier-ignore
  const config = loadConfig(
    Object.fromEntries(Object.entries(files).map(([name, file]) => [`${name}_FILE`, join(one.at, file)])),
  );
  const { username, password, host, pathname } = new URL(config.DATABASE_URL!);
  expect([username, password, host, pathname]).toEqual([
    'anneal',
    await one.read('postgres_password'),
    'postgres:5432',
    '/anneal',
  ]);
  expect(config.S3_ACCESS_KEY).toHaveLength(20);
  for (const name of Object.keys(secrets)) expect(await one.read(name)).not.toBe(await other.read(name));
});

test('what is there stays, and what is missing fits it', async () => {
  const { at, read } = await folder();
  await mkdir(at, { mode: 0o700, recursive: true });
  await writeFile(join(at, 'postgres_password'), 'of/mine\n');
  writeComposeSecrets(at);
  expect(await read('postgres_password')).toBe('of/mine');
  expect(await read('database_url')).toBe('postgres://anneal:of%2Fmine@postgres:5432/anneal');
  const other = await folder();
  await mkdir(other.at, { mode: 0o700, recursive: true });
  await writeFile(join(other.at, 'database_url'), 'postgres://me:p%40ss@db.example.com/anneal');
  writeComposeSecrets(other.at);
  expect(await other.read('postgres_password')).toBe('p@ss');
});

test('a folder that others may enter gets no secret', async () => {
  const { at } = await folder();
  await mkdir(at, { recursive: true });
  await chmod(at, 0o755);
  expect(() => writeComposeSecrets(at)).toThrow(`chmod 700 '${at}'`);
  expect(await readdir(at)).toEqual([]);
});
