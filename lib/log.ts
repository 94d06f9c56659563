import { AsyncLocalStorage } from 'node:async_hooks';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { pino } from 'pino';

export type Logger = pino.Logger;
export interface LogOptions {
  readonly service: string;
  readonly level?: string;
  /** Standard output unless given. */
  readonly destination?: pino.DestinationStream;
}

const fields = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();
const SECRET_NAMES = [
  'params',
  'password',
  'new_password',
  'password_hash',
  'passwordHash',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'apiKey',
  'authorization',
  'Authorization',
  'cookie',
  'JWT_SECRET_KEY',
  'ADMIN_PASSWORD',
  'ANNEAL_TOKEN',
  'DATABASE_URL',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'SOURCE_DATABASES',
];
// Of a failed query, in a JSON line: Drizzle puts them into its message. They may be anything that is kept.
const QUERY_PARAMETERS = /(?<=\\nparams: )(?:[^"\\]|\\.)*?(?=\\n {4}at |")/g;
const CREDENTIALS = [
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"]+(?=@)/gi, // in a URL
  /(?<=\bbearer +)[a-z0-9._~+/-]+=*/gi,
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, // an access or refresh token
  /\banneal_[0-9a-f]{16}_[\w-]{43}/g, // an API key
];

/** JSON lines with the service's name and, inside a span or `withLogFields`, the trace and run they belong to. */
export function createLogger({ service, level = 'info', destination }: LogOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => ({ ...spanFields(), ...fields.getStore() }),
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    serializers: { err: serializeError, error: serializeError },
    hooks: { streamWrite: (line) => hideCredentials(line.replace(QUERY_PARAMETERS, '[secret]')) },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Adds fields (for example `run_id`) to every line logged by `work` and whatever it awaits. */
export const withLogFields = <T>(added: Readonly<Record<string, unknown>>, work: () => T): T =>
  fields.run({ ...fields.getStore(), ...added }, work);

/** Replaces what opens a door in a text: users and passwords of URLs, tokens and API keys. */
export const hideCredentials = (text: string) =>
  CREDENTIALS.reduce((hidden, credential) => hidden.replace(credential, '[secret]'), text);

function spanFields() {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

const serializeError = (error: unknown): unknown => (error instanceof Error ? pino.stdSerializers.err(error) : error);
