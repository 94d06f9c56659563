import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigSchema, loadConfig, required } from '../../lib/config.ts';
import type { PlatformError } from '../../lib/errors.ts';

const failure = (env: NodeJS.ProcessEnv): PlatformError => {
  try {
    loadConfig(env);
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('the configuration was accepted');
};

test('an empty environment gives the defaults', () => {
  const config = loadConfig({});
  expect(config).toMatchObject({ API_PORT: 8000, SERVING_PORT: 8100, ENABLE_BOOM: false, SOURCE_DATABASES: {} });
  expect(config.DATABASE_URL).toBeUndefined();
});

test('an empty variable counts as absent', () => {
  expect(loadConfig({ DATABASE_URL: '', API_PORT: '' })).toEqual(loadConfig({}));
});

test('all mistakes are reported at once, each naming its variable', () => {
  const { code, details, message } = failure({
    API_PORT: '70000',
    DATABASE_URL: 'mysql://x',
    ENABLE_BOOM: 'perhaps',
    SOURCE_DATABASES: '{"warehouse":"nowhere"}',
    MODEL_URI: 'churn',
  });
  expect(code).toBe('INVALID');
  expect(details.map((detail) => detail.path).sort()).toEqual(
    ['API_PORT', 'DATABASE_URL', 'ENABLE_BOOM', 'MODEL_URI', 'SOURCE_DATABASES.warehouse'].sort(),
  );
  for (const { path } of details) expect(message).toContain(path);
});

test('a mistake never repeats the value, which may be a secret', () => {
  const { message } = failure({ DATABASE_URL: 'user:hunter2@host', SOURCE_DATABASES: '{"a":"b:hunter2"' });
  expect(message).not.toContain('hunter2');
});

test.each([
  'short',
  'x'.repeat(64),
  'abc'.repeat(20),
  'your-secret-key-change-in-production',
  'change-me-change-me-change-me-change-me',
  'secret'.repeat(10),
  'super-secret-key-for-development-only',
  '0123456789'.repeat(4),
])('a signing key that is short or a placeholder is refused: %s', (JWT_SECRET_KEY) => {
  const { details, message } = failure({ JWT_SECRET_KEY });
  expect(details.map(({ path }) => path)).toEqual(['JWT_SECRET_KEY']);
  expect(message).not.toContain(JWT_SECRET_KEY);
});

test.each([
  'administrator',
  'change-me',
  'change-me-please',
  'Administrator1',
  'Password123456',
  'p@ssw0rd-p@ssw0rd',
  '1234567890123',
  'aaaaaaaaaaaaaaaa',
  'x'.repeat(257),
])('a first password that is short, endless or a placeholder is refused: %s', (ADMIN_PASSWORD) => {
  const { details, message } = failure({ ADMIN_PASSWORD });
  expect(details.map(({ path }) => path)).toEqual(['ADMIN_PASSWORD']);
  expect(message).not.toContain(ADMIN_PASSWORD);
});

test('bad secrets and a bad name of the administrator are reported together', () => {
  const { details } = failure({ JWT_SECRET_KEY: 'secret', ADMIN_PASSWORD: 'secret', ADMIN_USERNAME: 'A/B' });
  expect(details.map(({ path }) => path).sort()).toEqual(['ADMIN_PASSWORD', 'ADMIN_USERNAME', 'JWT_SECRET_KEY']);
  const { details: alike } = failure({ ADMIN_USERNAME: 'ada.lovelace.1815', ADMIN_PASSWORD: 'Ada.Lovelace.1815' });
  expect(alike).toMatchObject([{ path: 'ADMIN_PASSWORD', message: 'must not be the user name' }]);
});

test('random secrets are accepted, whatever they are made of', () => {
  for (const form of ['base64', 'base64url', 'hex'] as const) {
    for (let round = 0; round < 200; round++) {
      const JWT_SECRET_KEY = randomBytes(24).toString(form);
      // Of 12 bytes in hex, one in 80,000 is nothing but digits, and refused.
      const ADMIN_PASSWORD = randomBytes(form === 'hex' ? 24 : 12).toString(form);
      expect(loadConfig({ JWT_SECRET_KEY, ADMIN_PASSWORD })).toMatchObject({ JWT_SECRET_KEY, ADMIN_PASSWORD });
    }
  }
});

test('S3_ENDPOINT asks for the other three settings', () => {
  const { details } = failure({ S3_ENDPOINT: 'http://localhost:9000', S3_BUCKET: 'anneal' });
  expect(details.map((detail) => detail.path)).toEqual(['S3_ACCESS_KEY', 'S3_SECRET_KEY']);
});

test('a webhook has an allowed address and a secret, and neither is repeated in an error', () => {
  const url = { ALERT_WEBHOOK_URL: 'https://alerts.test/token-of-mine', OUTGOING_HOSTS: 'alerts.test' };
  const ALERT_WEBHOOK_SECRET = 'p0Zc3nT8yV1qL6sX9wB2kM5dF7gH4jRa';
  expect(loadConfig({ ...url, ALERT_WEBHOOK_SECRET })).toMatchObject({ ALERT_WEBHOOK_SECRET });
  expect(failure(url).details).toMatchObject([{ path: 'ALERT_WEBHOOK_SECRET' }]);
  expect(loadConfig({ ALERT_WEBHOOK_SECRET })).toMatchObject({ ALERT_WEBHOOK_SECRET });
  const error = failure({ ...url, ALERT_WEBHOOK_SECRET, OUTGOING_HOSTS: 'other.test' });
  const message = expect.stringContaining('OUTGOING_HOSTS') as string;
  expect(error.details).toMatchObject([{ path: 'ALERT_WEBHOOK_URL', message }]);
  expect(JSON.stringify([error.message, error.details])).not.toMatch(/token-of-mine|p0Zc3nT8/);
});

test('a secret may be the content of a file, which must be readable, and the only place where it is given', () => {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-config-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  try {
    const key = 'p0Zc3nT8yV1qL6sX9wB2kM5dF7gH4jRa';
    const env = {
      DATABASE_URL_FILE: file('database', 'postgres://a:b@db:5432/anneal\n'),
      JWT_SECRET_KEY_FILE: file('key', ` ${key}\n\n`),
      ADMIN_PASSWORD_FILE: '',
    };
    const config = loadConfig(env);
    expect(config).toMatchObject({ DATABASE_URL: 'postgres://a:b@db:5432/anneal', JWT_SECRET_KEY: key });
    expect(config.ADMIN_PASSWORD).toBeUndefined();
    const { details, message } = failure({
      ...env,
      JWT_SECRET_KEY: key,
      S3_SECRET_KEY_FILE: join(folder, 'absent'),
      S3_ACCESS_KEY_FILE: file('empty', '\n'),
      ADMIN_PASSWORD_FILE: file('weak', 'hunter2'),
      API_PORT: 'x',
    });
    expect(details.map(({ path }) => path)).toEqual([
      'JWT_SECRET_KEY_FILE',
      'S3_ACCESS_KEY_FILE',
      'S3_SECRET_KEY_FILE',
      'API_PORT',
      'ADMIN_PASSWORD',
    ]);
    expect(message).not.toMatch(/hunter2|p0Zc3nT8/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a bucket that no server could have is refused before anything starts', () => {
  const { details } = failure({ S3_BUCKET: 'My_Bucket' });
  expect(details).toMatchObject([{ path: 'S3_BUCKET', message: expect.stringContaining('bucket name') as string }]);
});

test('proxies are trusted by address or network, and not all of them', () => {
  expect(loadConfig({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).TRUSTED_PROXIES).toEqual(['10.0.0.0/8', '::1']);
  for (const bad of ['proxy.internal', '0.0.0.0/0', '10.0.0.1,*']) {
    expect(failure({ TRUSTED_PROXIES: bad }).details).toMatchObject([{ path: 'TRUSTED_PROXIES' }]);
  }
});

test('a required setting that is absent is named', () => {
  expect(() => required(loadConfig({}), 'DATABASE_URL')).toThrow(/DATABASE_URL is not set/);
  expect(required(loadConfig({ TEMPORAL_ADDRESS: 'host:7233' }), 'TEMPORAL_ADDRESS')).toBe('host:7233');
});

test('.env.example lists every variable with its default', () => {
  const [ours] = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('# --- Docker Compose');
  const entries = ours!.split('\n').flatMap((line) => {
    const [, hash, name, value] = /^(#?)([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, value, commented: hash === '#' }];
  });
  expect(entries.map(({ name }) => name).sort()).toEqual(Object.keys(ConfigSchema.shape).sort());
  const active: NodeJS.ProcessEnv = {};
  for (const { name, value, commented } of entries) if (!commented) active[name] = value;
  const defaults: Record<string, unknown> = loadConfig({});
  expect(loadConfig(active)).toEqual(defaults);
  const machineDependent = ['SERVING_PROCESSES', 'WORKER_TRAINING_CONCURRENCY'];
  const hidden = entries.filter(({ name, commented }) => commented && defaults[name] !== undefined);
  expect(hidden.map(({ name }) => name)).toEqual(machineDependent);
});

test('CORS_ORIGINS are origins as browsers write them, or *', () => {
  const { CORS_ORIGINS } = loadConfig({ CORS_ORIGINS: 'https://console.example.com, http://localhost:5173' });
  expect(CORS_ORIGINS).toEqual(['https://console.example.com', 'http://localhost:5173']);
  expect(loadConfig({ CORS_ORIGINS: '*' }).CORS_ORIGINS).toEqual(['*']);
  for (const bad of [
    'https://a.example/',
    'https://a.example/x',
    'a.example',
    'https://*.example',
    'HTTPS://A.example',
    'null',
    'file://x',
    'https://a.example:443',
    'https://u:p@a.example',
  ])
    expect(failure({ CORS_ORIGINS: bad }).details, bad).toMatchObject([{ path: 'CORS_ORIGINS' }]);
});
