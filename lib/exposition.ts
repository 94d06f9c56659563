import { trace } from '@opentelemetry/api';
import { type Metric, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** All metrics of a process, as `Registry.getMetricsAsJSON` gives them. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Metrics in the format that a scrape asks for in `accept`: OpenMetrics, which has exemplars, or Prometheus' own text. */
export async function expose(snapshot: Snapshot, accept = ''): Promise<Exposition> {
  const open = accept.includes('application/openmetrics-text');
  const contentType = open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  // A registry of its own: writing OpenMetrics renames the counters of a registry, for good.
  const registry = new Registry<typeof contentType>();
  registry.setContentType(contentType);
  for (const metric of snapshot) {
    const counter = (metric.type as unknown as string) === 'counter';
    const named = { ...metric, name: open && counter ? metric.name.replace(/_total$/, '') : metric.name };
    registry.registerMetric({ ...named, get: () => Promise.resolve(named) } as unknown as Metric);
  }
  return { contentType, text: await registry.metrics() };
}

/** The trace that is active and recorded, or null. */
export function recordedTrace(): string | null {
  const span = trace.getActiveSpan();
  return span?.isRecording() ? span.spanContext().traceId : null;
}

/** Labels of an exemplar that lead to a trace; as an object without names, for prom-client's types know none. */
export const exemplarOf = (traceId: string | null): object => (traceId === null ? {} : { trace_id: traceId });
