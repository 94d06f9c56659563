import type { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';
import type { TemporalPluginMaker } from './temporal-tracing.ts';

export interface TelemetryOptions {
  readonly serviceName: string;
  readonly config: { readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined };
  /** For a process that calls Temporal: `makeTemporalPlugin`. Handed in, so that the others do without its packages. */
  readonly makeTemporalPlugin?: TemporalPluginMaker;
}
export interface Telemetry {
  /** For `new Client({ plugins })` and `Worker.create({ plugins })`; empty when no exporter is configured. */
  readonly temporalPlugins: OpenTelemetryPlugin[];
  /** Sends what is left, within two seconds; never throws. */
  readonly shutdown: () => Promise<void>;
}

/** A span with this attribute, if it is true, is not exported. */
export const UNWANTED = 'anneal.unwanted';

/**
 * Starts tracing when OTEL_EXPORTER_OTLP_ENDPOINT is set. Without it the SDK is not even loaded. Call it before anything
 * else takes a tracer.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { serviceName, config, makeTemporalPlugin } = options;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return { temporalPlugins: [], shutdown: () => Promise.resolve() };
  const { startTracing } = await import('./telemetry-sdk.ts');
  return await startTracing({ serviceName, endpoint, makeTemporalPlugin });
}
