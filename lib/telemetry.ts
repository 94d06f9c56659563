import type { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';

export interface TelemetryOptions {
  readonly serviceName: string;
  readonly config: { readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined };
}
export interface Telemetry {
  /** For `new Client({ plugins })` and `Worker.create({ plugins })`; empty when no exporter is configured. */
  readonly temporalPlugins: () => Promise<OpenTelemetryPlugin[]>;
  /** Sends what is left, within two seconds; never throws. */
  readonly shutdown: () => Promise<void>;
}

/**
 * Starts tracing when OTEL_EXPORTER_OTLP_ENDPOINT is set. Without it the SDK is not even loaded. Call it before anything
 * else takes a tracer.
 */
export async function startTelemetry({ serviceName, config }: TelemetryOptions): Promise<Telemetry> {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return { temporalPlugins: () => Promise.resolve([]), shutdown: () => Promise.resolve() };
  const { startTracing } = await import('./telemetry-sdk.ts');
  return startTracing(serviceName, endpoint);
}
