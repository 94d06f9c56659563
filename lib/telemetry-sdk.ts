import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK, resources, tracing } from '@opentelemetry/sdk-node';
import type { OpenTelemetryPluginOptions } from '@temporalio/interceptors-opentelemetry';
import { UNWANTED, type Telemetry, type TelemetryOptions } from './telemetry.ts';

const EXPORT_MS = 2000;

export interface TracingOptions extends Pick<TelemetryOptions, 'serviceName' | 'makeTemporalPlugin'> {
  readonly endpoint: string;
}

/** Loaded only when an exporter is configured. A collector that is away costs nothing but the spans. */
export async function startTracing(options: TracingOptions): Promise<Telemetry> {
  const { serviceName, endpoint, makeTemporalPlugin } = options;
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS });
  const processor = wanted(
    new tracing.BatchSpanProcessor(exporter, {
      scheduledDelayMillis: 500,
      exportTimeoutMillis: EXPORT_MS,
      maxQueueSize: 4096,
    }),
  );
  const resource = resources.defaultResource().merge(resources.resourceFromAttributes({ 'service.name': serviceName }));
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false, // host and process details are none of the collector's business
    spanProcessors: [processor],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  const spans = { resource, spanProcessor: upgrading(processor) } as unknown as OpenTelemetryPluginOptions;
  const temporalPlugins = makeTemporalPlugin ? [await makeTemporalPlugin(spans)] : [];
  return {
    temporalPlugins,
    shutdown: async () => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, EXPORT_MS).unref());
      await Promise.race([sdk.shutdown().catch(() => {}), late]);
    },
  };
}

/** Without the spans that say of themselves that nobody needs them. */
export const wanted = (processor: tracing.SpanProcessor): tracing.SpanProcessor => ({
  onStart: (span, context) => processor.onStart(span, context),
  onEnd: (span) => {
    if (span.attributes[UNWANTED] !== true) processor.onEnd(span);
  },
  forceFlush: () => processor.forceFlush(),
  shutdown: () => processor.shutdown(),
});

type SpanV2 = Parameters<tracing.SpanProcessor['onEnd']>[0];
/** A workflow's span in the shape of OpenTelemetry 1.x, which Temporal's interceptors are built on. */
interface SpanV1 extends Omit<SpanV2, 'instrumentationScope' | 'parentSpanContext'> {
  readonly instrumentationLibrary: SpanV2['instrumentationScope'];
  readonly parentSpanId?: string;
}

/** Workflow spans reach the 2.x processor with their parent and scope where 2.x looks for them. */
export function upgrading(processor: Pick<tracing.SpanProcessor, 'onEnd'>): Pick<tracing.SpanProcessor, 'onEnd'> {
  return {
    onEnd: (span) => {
      const { instrumentationLibrary, parentSpanId, ...rest } = span as unknown as SpanV1;
      const parentSpanContext =
        parentSpanId === undefined ? undefined : { ...rest.spanContext(), spanId: parentSpanId };
      processor.onEnd({
        ...rest,
        attributes: plain(rest.attributes),
        instrumentationScope: instrumentationLibrary,
        parentSpanContext,
      });
    },
  };
}

/** The interceptor adds the whole workflow info, nested objects and dates too: only plain values are attributes. */
const plain = (attributes: SpanV2['attributes']) =>
  Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
  );
