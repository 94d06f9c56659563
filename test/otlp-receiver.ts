import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: () => readonly ReceivedSpan[];
  /** Everything that came, also what `spans` leaves out. */
  readonly text: () => string;
  readonly stop: () => Promise<void>;
}

// The part of opentelemetry-proto 1.x (Apache-2.0) that the tests look at; protobuf skips the rest.
const { root } = protobuf.parse(`syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; repeated KeyValue attributes = 9; }
message KeyValue { string key = 1; Value value = 2; }
message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }`);
const Request = root.lookupType('Request');

type Pair = { key: string; value?: Record<string, unknown> };
type Wire = {
  resourceSpans?: {
    resource?: { attributes?: Pair[] };
    scopeSpans?: {
      spans?: { traceId: string; spanId: string; parentSpanId?: string; name: string; attributes?: Pair[] }[];
    }[];
  }[];
};

/** An OpenTelemetry collector, as far as a test needs one: OTLP over HTTP, traces only. On any free port unless told otherwise. */
export async function startOtlpReceiver({ host = '127.0.0.1', port = 0 } = {}): Promise<OtlpReceiver> {
  const received: ReceivedSpan[] = [];
  const texts: string[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((sent) => {
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      texts.push(body.toString('latin1'));
      if (request.url === '/v1/traces') received.push(...decode(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  }).listen(port, host);
  await once(server, 'listening');
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const endpoint = `http://${host}:${(server.address() as AddressInfo).port}`;
  return { endpoint, spans: () => received, text: () => texts.join('\n'), stop };
}

function decode(body: Buffer): ReceivedSpan[] {
  const { resourceSpans = [] } = Request.toObject(Request.decode(body), { bytes: String, longs: Number }) as Wire;
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = String(attributesOf(resource?.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => ({ service, ...describe(span) })));
  });
}

const describe = (span: {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes?: Pair[];
}) => ({
  name: span.name,
  traceId: hex(span.traceId)!,
  spanId: hex(span.spanId)!,
  parentSpanId: hex(span.parentSpanId),
  attributes: attributesOf(span.attributes),
});

const hex = (base64: string | undefined) => (base64 ? Buffer.from(base64, 'base64').toString('hex') : undefined);
const attributesOf = (pairs: Pair[] = []) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value ?? {})[0]]));
