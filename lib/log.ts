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
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
  'DATABASE_URL',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'SOURCE_DATABASES',
];
const CREDENTIALS_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"]+@/gi;

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
    hooks: { streamWrite: (line) => hideCredentials(line) },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Adds fields (for example `run_id`) to every line logged by `work` and whatever it awaits. */
export const withLogFields = <T>(added: Readonly<Record<string, unknown>>, work: () => T): T =>
  fields.run({ ...fields.getStore(), ...added }, work);

/** Replaces the user and password of every URL in a text. */
export const hideCredentials = (text: string) => text.replace(CREDENTIALS_IN_URL, '$1[secret]@');

function spanFields() {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

const serializeError = (error: unknown): unknown => (error instanceof Error ? pino.stdSerializers.err(error) : error);
