import {
  context,
  isValidTraceId,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
} from '@opentelemetry/api';

// Only the OpenTelemetry API: without an SDK (lib/telemetry.ts) every call here does next to nothing.
const tracer = () => trace.getTracer('anneal');

/** Runs `work` in a span; its failure is recorded and passed on. */
export const inSpan = <T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> =>
  tracer().startActiveSpan(name, { attributes }, (span) => finish(span, work));

/** As `inSpan`, for a request that may carry its caller's trace (W3C `traceparent`, header names in lower case). */
export function inRequestSpan<T>(
  name: string,
  headers: Readonly<Record<string, string | undefined>>,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = propagation.extract(context.active(), headers);
  return tracer().startActiveSpan(name, { kind: SpanKind.SERVER, attributes }, parent, (span) => finish(span, work));
}

export interface RequestSpan {
  /** Of the span, or of the caller's trace when nothing is traced here; null without both. */
  readonly traceId: string | null;
  /** Is the span recorded here, so that `traceId` can be looked up? */
  readonly recorded: boolean;
  readonly end: (status: number) => void;
}
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

const UNTRACED: RequestSpan = { traceId: null, recorded: false, end: () => undefined };

/**
 * A server span that nothing is made inside of: it need not be the active one, which costs more than it. Of requests
 * without a trace only this share (0 to 1) gets one; the SDK would make a span first and then look whether it is wanted.
 */
export function startRequestSpan(
  request: {
    readonly method: string;
    readonly path: string;
    header(name: 'traceparent' | 'tracestate'): string | undefined;
  },
  requestId: string,
  share: number,
): RequestSpan {
  const traceparent = request.header('traceparent');
  if (traceparent === undefined && Math.random() >= share) return UNTRACED;
  const parent =
    traceparent === undefined
      ? ROOT_CONTEXT
      : propagation.extract(ROOT_CONTEXT, { traceparent, tracestate: request.header('tracestate') });
  const { method, path } = request;
  const span = tracer().startSpan(`${method} ${path}`, { kind: SpanKind.SERVER }, parent);
  const recorded = span.isRecording();
  if (recorded) span.setAttributes({ 'http.request.method': method, 'anneal.request_id': requestId });
  const { traceId } = span.spanContext();
  return {
    traceId: isValidTraceId(traceId) ? traceId : (TRACEPARENT.exec(traceparent ?? '')?.[1] ?? null),
    recorded,
    end: (status) => {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** The active trace as a W3C `traceparent`, to be stored or sent with work that continues elsewhere; else undefined. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** Continues the trace that a stored `traceparent` names: spans and log lines of `work` belong to it. */
export const inTraceOf = <T>(traceparent: string | null | undefined, work: () => T): T =>
  context.with(propagation.extract(context.active(), { traceparent: traceparent ?? undefined }), work);

async function finish<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
