import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { knownAdminPassword, settleSecrets } from '../../cli/secrets.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder } from '../platform.ts';

const OWN_DATABASE = { DATABASE_URL: 'postgres://user:hunter2@db.example.com/anneal' };
const KEY = 'a key of forty characters, all of them ok';

async function home() {
  const { path, remove } = await temporaryFolder('secrets');
  onTestFinished(remove);
  return {
    settings: (env: NodeJS.ProcessEnv = {}) => loadConfig({ ...env, ANNEAL_HOME: path }),
    file: (name = '.') => join(path, 'secrets', name),
  };
}
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('the first start makes long secrets that only the owner may read; later ones find the same and say nothing new', async () => {
  const { settings, file } = await home();
  const first = settleSecrets(settings());
  expect(first.jwtSecret.length).toBeGreaterThanOrEqual(64);
  expect(first.admin).toEqual({
    username: 'admin',
    password: expect.stringMatching(/^[\w-]{32}$/) as string,
    passwordFile: file('admin-password'),
    isNew: true,
  });
  expect(settleSecrets(settings())).toEqual({ ...first, admin: { ...first.admin, isNew: false } });
  expect((await readdir(file())).sort()).toEqual(['admin-password', 'jwt-secret']);
  expect(await modeOf(file())).toBe(0o700);
  for (const name of await readdir(file())) expect(await modeOf(file(name))).toBe(0o600);
  const other = await home();
  expect(settleSecrets(other.settings()).jwtSecret).not.toBe(first.jwtSecret);
});

test('starts at the same moment agree, and only one of them calls the password new', async () => {
  const { settings } = await home();
  const module = new URL('../../cli/secrets.ts', import.meta.url).href;
  const config = new URL('../../lib/config.ts', import.meta.url).href;
  const program = `
    const { settleSecrets } = await import('${module}');
    const { loadConfig } = await import('${config}');
    console.log(JSON.stringify(settleSecrets(loadConfig())));`;
  const start = () => {
    const env = { ANNEAL_HOME: settings().ANNEAL_HOME };
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return text(child.stdout);
  };
  const outputs = await Promise.all([start(), start(), start(), start()]);
  const all = outputs.map((output) => JSON.parse(output) as ReturnType<typeof settleSecrets>);
  expect(new Set(all.map(({ jwtSecret }) => jwtSecret)).size).toBe(1);
  expect(new Set(all.map(({ admin }) => admin.password)).size).toBe(1);
  expect(all.filter(({ admin }) => admin.isNew)).toHaveLength(1);
});

test.each([
  ['admin-password', 0o644, '600'],
  ['jwt-secret', 0o660, '600'],
  ['.', 0o755, '700'],
])('when others may get at secrets/%s the start is refused with the command to mend it', async (name, mode, mended) => {
  const { settings, file } = await home();
  settleSecrets(settings());
  await chmod(file(name), mode);
  const refused = () => settleSecrets(settings());
  const path = file(name);
  expect(refused).toThrow(`mode ${mode.toString(8)}`);
  expect(refused).toThrow(`chmod ${mended} '${path}'`);
  await chmod(file(name), Number.parseInt(mended, 8));
  expect(refused).not.toThrow();
});

test('a folder that others may enter gets no secret', async () => {
  const { settings, file } = await home();
  await mkdir(file(), { mode: 0o755, recursive: true });
  expect(() => settleSecrets(settings())).toThrow('chmod 700');
  expect(await readdir(file())).toEqual([]);
});

test('what the configuration says is used and not written down', async () => {
  const { settings, file } = await home();
  const given = { JWT_SECRET_KEY: KEY, ADMIN_PASSWORD: 'correct horse battery', ADMIN_USERNAME: 'ada' };
  expect(settleSecrets(settings(given))).toEqual({
    jwtSecret: KEY,
    admin: { username: 'ada', password: 'correct horse battery', passwordFile: null, isNew: false },
  });
  await expect(readdir(file())).rejects.toThrow('ENOENT');
});

test('with a database of your own nothing is made: without JWT_SECRET_KEY the start is refused, without a password it goes on', async () => {
  const { settings, file } = await home();
  let error: unknown;
  try {
    settleSecrets(settings(OWN_DATABASE));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'INVALID', details: [{ path: 'JWT_SECRET_KEY', rule: 'required' }] });
  expect((error as Error).message).toContain('ADMIN_PASSWORD');
  expect((error as Error).message).not.toContain('hunter2');
  expect(settleSecrets(settings({ ...OWN_DATABASE, JWT_SECRET_KEY: KEY })).admin.password).toBeUndefined();
  await expect(readdir(file())).rejects.toThrow('ENOENT');
});

test('commands know the password from the configuration, else from the home, else not at all', async () => {
  const { settings, file } = await home();
  expect(knownAdminPassword(settings())).toBeUndefined();
  const { admin } = settleSecrets(settings());
  expect(knownAdminPassword(settings())).toBe(admin.password);
  expect(knownAdminPassword(settings({ ADMIN_PASSWORD: 'correct horse battery' }))).toBe('correct horse battery');
  await writeFile(file('admin-password'), 'changed by hand\n');
  expect(knownAdminPassword(settings())).toBe('changed by hand');
});
