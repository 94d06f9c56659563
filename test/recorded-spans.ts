import { context, propagation, trace } from '@opentelemetry/api';
import { core, node, tracing } from '@opentelemetry/sdk-node';
import { afterAll, beforeEach } from 'vitest';

/** Records every span of a test file, each test's apart, and joins traces as a process with an exporter does. */
export function recordSpans(): tracing.InMemorySpanExporter {
  const spans = new tracing.InMemorySpanExporter();
  const provider = new node.NodeTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(spans)] });
  provider.register({ propagator: new core.W3CTraceContextPropagator() });
  beforeEach(() => spans.reset());
  afterAll(async () => {
    await provider.shutdown();
    for (const api of [trace, context, propagation]) api.disable();
  });
  return spans;
}
