import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { PlatformError } from './errors.ts';
import { isNetwork } from './http/client-address.ts';
import { checkOutgoingUrl } from './http/outgoing.ts';
import { readSecretFiles } from './secret-files.ts';
import { weaknessOfKey, weaknessOfPassword } from './weak-secret.ts';

const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });
/** 0 takes any free port. */
const port = (initial: number) => z.coerce.number().int().min(0).max(65_535).default(initial);
const count = (initial: number) => z.coerce.number().int().positive().default(initial);
const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'a URL as postgres://user:password@host:5432/database',
});
const httpUrl = z.url({ protocol: /^https?$/, error: 'a URL as http://host:4318' });
const address = z.string().regex(/^[^\s:/]+:\d+$/, 'host:port, without a scheme');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const networks = list.refine(
  (all) => all.every(isNetwork),
  'addresses or networks as 10.0.0.0/8, and never all addresses',
);
/** As browsers write it: scheme, host and the port unless it is the scheme's own. */
const isOrigin = (text: string) =>
  text === '*' || (/^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);
const origins = list.refine(
  (all) => all.every(isOrigin),
  'origins as https://console.example.com, without a path; or *',
);
/** `weaknessOf` gives the rule that is broken, never the value. */
const secret = (weaknessOf: (value: string) => string | null) =>
  z.string().superRefine((value, context) => {
    const message = weaknessOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

/** Query sources by name: a JSON object, name → Postgres URL. */
const SourceDatabases = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'a JSON object, as {"warehouse":"postgres://…"}' });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names of lower-case letters, digits and dashes'), postgresUrl),
  );

const S3_SETTINGS = ['S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const;

interface WebhookSettings {
  readonly ALERT_WEBHOOK_URL?: string | undefined;
  readonly ALERT_WEBHOOK_SECRET?: string | undefined;
  readonly OUTGOING_HOSTS: readonly string[];
  readonly OUTGOING_PRIVATE_ADDRESSES: boolean;
}

/** Found at the start, not with the first alert. */
function webhookProblems(config: WebhookSettings): [string, string][] {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: key } = config;
  if (url === undefined) return [];
  const policy = { hosts: config.OUTGOING_HOSTS, privateAddresses: config.OUTGOING_PRIVATE_ADDRESSES };
  const problems: [string, string][] = [];
  if (key === undefined) problems.push(['ALERT_WEBHOOK_SECRET', 'required by ALERT_WEBHOOK_URL']);
  try {
    checkOutgoingUrl(url, policy, 'ALERT_WEBHOOK_URL');
  } catch (error) {
    problems.push(...(error as PlatformError).details.map(({ path, message }): [string, string] => [path, message]));
  }
  return problems;
}

/** Every setting Anneal reads. `.env.example` says what each means; a test keeps the two equal. */
export const ConfigSchema = z
  .object({
    ANNEAL_HOME: z
      .string()
      .default('.anneal')
      .transform((path) => resolve(path)),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    SHUTDOWN_GRACE_SECONDS: z.coerce.number().min(0).max(600).default(10),

    API_HOST: z.string().default('127.0.0.1'),
    API_PORT: port(8000),
    SERVING_HOST: z.string().default('127.0.0.1'),
    SERVING_PORT: port(8100),
    TEMPORAL_PORT: port(7233),
    TEMPORAL_UI_PORT: port(8233),
    POSTGRES_PORT: port(54_329),
    WORKER_METRICS_HOST: z.string().default('127.0.0.1'),
    WORKER_PIPELINE_METRICS_PORT: port(9101),
    WORKER_TRAINING_METRICS_PORT: port(9102),
    WORKER_MONITORING_METRICS_PORT: port(9103),

    DATABASE_URL: postgresUrl.optional(),
    TEMPORAL_ADDRESS: address.optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    TEMPORAL_UI_URL: httpUrl.optional(),
    S3_ENDPOINT: httpUrl.optional(),
    S3_REGION: z.string().default('us-east-1'),
    S3_BUCKET: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name: 3 to 63 lower-case letters, digits, dots and dashes')
      .optional(),
    S3_ACCESS_KEY: z.string().optional(),
    S3_SECRET_KEY: z.string().optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),

    JWT_SECRET_KEY: secret(weaknessOfKey).optional(),
    ACCESS_TOKEN_EXPIRE_MINUTES: count(30),
    REFRESH_TOKEN_EXPIRE_DAYS: count(7),
    ADMIN_USERNAME: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._@-]{0,63}$/, 'lower-case letters, digits and . _ @ -, at most 64')
      .default('admin'),
    ADMIN_PASSWORD: secret(weaknessOfPassword).optional(),
    ADMIN_EMAIL: z.email().default('admin@example.com'),
    ANNEAL_TOKEN: z.string().optional(),
    ANNEAL_URL: httpUrl.optional(),
    CORS_ORIGINS: origins.default([]),
    TRUSTED_PROXIES: networks.default([]),
    RATE_LIMIT_AUTH_PER_MINUTE: count(30),
    RATE_LIMIT_GENERAL_PER_MINUTE: count(1_200),
    RATE_LIMIT_PREDICT_PER_MINUTE: count(60_000),
    OUTGOING_HOSTS: list.default([]),
    OUTGOING_PRIVATE_ADDRESSES: flag.default(false),
    ALERT_WEBHOOK_URL: httpUrl.optional(),
    ALERT_WEBHOOK_SECRET: secret(weaknessOfKey).optional(),

    MODEL_URI: z
      .string()
      .regex(
        /^models:\/[a-z][a-z0-9-]*(@[a-z][a-z0-9-]*|\/[1-9]\d*)$/,
        'models:/<name>@<alias> or models:/<name>/<version>',
      )
      .optional(),
    MODEL_NAME: z.string().default('churn'),
    SERVING_CONFIG: z.string().default('configs/config.yaml'),
    SERVING_LOAD_TIMEOUT_SECONDS: count(120),
    ENABLE_BOOM: flag.default(false),
    PREDICTION_LOG_ENABLED: flag.default(true),
    PREDICTION_LOG_MAX_BYTES: count(2 ** 30),
    PREDICTION_LOG_WHEN_FULL: z.enum(['refuse', 'drop']).default('refuse'),
    PREDICTION_LOG_SYNC_MS: count(1_000),
    PREDICTION_RETENTION_DAYS: count(90),
    SERVING_PROCESSES: count(availableParallelism()),
    SERVING_MAX_IN_FLIGHT: count(1024),
    SERVING_TRACE_SAMPLE_RATIO: z.coerce.number().min(0).max(1).default(0.01),

    MAX_UPLOAD_BYTES: count(10 * 2 ** 30),
    MAX_MODEL_BYTES: count(256 * 2 ** 20).refine(
      (bytes) => bytes < 2 ** 31,
      'less than 2 GiB, which is all ONNX can hold',
    ),
    MAX_BODY_BYTES: count(2 ** 20),
    MAX_BATCH_BYTES: count(16 * 2 ** 20),
    DUCKDB_MEMORY_LIMIT: z
      .string()
      .regex(/^\d+(\.\d+)?(KB|MB|GB|KiB|MiB|GiB)$/, 'a size as 1GB or 512MB')
      .default('1GB'),
    SOURCE_DATABASES: SourceDatabases.default({}),

    REPORT_FREQUENCY: count(3_600),
    REPORT_RETENTION_DAYS: count(365),
    BUFFER_SIZE: count(1_000).refine((rows) => rows <= 100_000, 'at most 100000'),
    REFERENCE_DATA_PATH: z
      .string()
      .transform((path) => resolve(path))
      .optional(),

    WORKER_PIPELINE_CONCURRENCY: count(4),
    WORKER_TRAINING_CONCURRENCY: count(availableParallelism()),
    WORKER_MONITORING_CONCURRENCY: count(4),
  })
  .superRefine((config, context) => {
    if (config.ADMIN_PASSWORD?.toLowerCase() === config.ADMIN_USERNAME) {
      context.addIssue({ code: 'custom', path: ['ADMIN_PASSWORD'], message: 'must not be the user name' });
    }
    for (const [path, message] of webhookProblems(config)) context.addIssue({ code: 'custom', path: [path], message });
    if (config.S3_ENDPOINT === undefined) return;
    for (const name of S3_SETTINGS.filter((setting) => config[setting] === undefined)) {
      context.addIssue({ code: 'custom', path: [name], message: 'required when S3_ENDPOINT is set' });
    }
  });
export type Config = Readonly<z.output<typeof ConfigSchema>>;

/**
 * Reads the configuration, secrets also from files (`DATABASE_URL_FILE`). An empty variable counts as absent. Throws
 * INVALID with one detail per mistake, each naming its variable; values are never repeated, for they may be secrets.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const files = readSecretFiles(given);
  const parsed = ConfigSchema.safeParse({ ...given, ...files.values });
  if (parsed.success && files.problems.length === 0) return Object.freeze(parsed.data);
  const issues = parsed.error?.issues ?? [];
  const details = [
    ...files.problems,
    ...issues.map((issue) => ({ path: issue.path.join('.'), rule: issue.code, message: issue.message })),
  ];
  const lines = details.map(({ path, message }) => `  ${path}: ${message}`);
  throw new PlatformError('INVALID', `Invalid configuration:\n${lines.join('\n')}`, { details });
}

/** The value of a setting that this process cannot do without; `anneal up` fills the ones of embedded servers. */
export function required<K extends keyof Config>(config: Config, name: K): NonNullable<Config[K]> {
  const value = config[name];
  if (value !== undefined && value !== null) return value;
  throw new PlatformError('INVALID', `${name} is not set; set it, or start everything with \`anneal up\``, {
    details: [{ path: name, rule: 'required', message: 'is not set' }],
  });
}
