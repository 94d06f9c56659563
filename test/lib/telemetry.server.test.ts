import { context, propagation, trace } from '@opentelemetry/api';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTelemetry, type Telemetry } from '../../lib/telemetry.ts';
import { connectTemporal } from '../../lib/temporal-connection.ts';
import type { TemporalServer } from '../../lib/temporal-server.ts';
import { makeTemporalPlugin } from '../../lib/temporal-tracing.ts';
import { connectTemporalWorker } from '../../lib/temporal-worker-connection.ts';
import { currentTraceparent, inRequestSpan, inSpan, inTraceOf } from '../../lib/tracing.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../otlp-receiver.ts';
import { startTestTemporal } from '../platform.ts';

let temporal: TemporalServer;
let receiver: OtlpReceiver;
let telemetry: Telemetry;

beforeAll(async () => {
  [temporal, receiver] = await Promise.all([startTestTemporal(), startOtlpReceiver()]);
  const config = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
  telemetry = await startTelemetry({ serviceName: 'test', config, makeTemporalPlugin });
});
afterAll(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await Promise.all([temporal.stop(), receiver.stop()]);
});

/** One workflow on a worker of its own, both traced; the activity tells its traceparent. */
async function runTraced(): Promise<string> {
  const { address } = temporal;
  const plugins = telemetry.temporalPlugins;
  const client = await connectTemporal({ address, namespace: 'default', plugins });
  const connection = await connectTemporalWorker({ address });
  const worker = await Worker.create({
    connection,
    plugins,
    taskQueue: 'traced',
    workflowsPath: new URL('traced-workflow.ts', import.meta.url).pathname,
    activities: { work: () => Promise.resolve(currentTraceparent()) },
  });
  try {
    const run = client.workflow.execute<() => Promise<string>>('traced', {
      taskQueue: 'traced',
      workflowId: 'traced-1',
    });
    return await worker.runUntil(run);
  } finally {
    await Promise.all([client.connection.close(), connection.close()]);
  }
}

test('one trace goes from the request through workflow and activity to the work that continues it', async () => {
  const caller = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const headers = { traceparent: `00-${caller.traceId}-${caller.spanId}-01` };
  const stored = await inRequestSpan('POST /train', headers, {}, runTraced);
  await inTraceOf(stored, () => inSpan('load model', {}, () => Promise.resolve()));
  await telemetry.shutdown();

  // `shutdown` waits two seconds at most.
  await vi.waitFor(
    () => {
      const come = receiver.spans();
      expect(come.map(({ name }) => name)).toContain('load model');
      const parents = come.map(({ parentSpanId }) => parentSpanId).filter((id) => id !== caller.spanId);
      expect(come.map(({ spanId }) => spanId)).toEqual(expect.arrayContaining(parents));
    },
    { timeout: 60_000 },
  );
  const spans = receiver.spans();
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([caller.traceId]));
  const ids = new Set([caller.spanId, ...spans.map((span) => span.spanId)]);
  expect(spans.filter((span) => !ids.has(span.parentSpanId!))).toEqual([]);
  const path = [];
  for (
    let span = spans.find(({ name }) => name === 'load model');
    span;
    span = spans.find((s) => s.spanId === span.parentSpanId)
  )
    path.unshift(span.name);
  expect(path).toEqual([
    'POST /train',
    'StartWorkflow:traced',
    'RunWorkflow:traced',
    'StartActivity:work',
    'RunActivity:work',
    'load model',
  ]);
  expect(new Set(spans.map((span) => span.service))).toEqual(new Set(['test']));
});

test('a collector that is away does not fail or print anything', async () => {
  for (const api of [trace, context, propagation]) api.disable();
  const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
  const dead = await startTelemetry({
    serviceName: 'test',
    config: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
  });
  await expect(inRequestSpan('GET /', {}, {}, () => Promise.resolve(1))).resolves.toBe(1);
  await expect(dead.shutdown()).resolves.toBeUndefined();
  for (const spy of printed) expect(spy).not.toHaveBeenCalled();
});
