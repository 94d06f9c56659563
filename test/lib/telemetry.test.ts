import { spawnSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { startTelemetry, UNWANTED } from '../../lib/telemetry.ts';
import { upgrading, wanted } from '../../lib/telemetry-sdk.ts';

test('without an exporter there is nothing to plug in, and the SDK is not loaded', async () => {
  const telemetry = await startTelemetry({ serviceName: 'api', config: {} });
  expect(telemetry.temporalPlugins).toEqual([]);
  await telemetry.shutdown();
  const script = `
    const { startTelemetry } = await import(${JSON.stringify(new URL('../../lib/telemetry.ts', import.meta.url).href)});
    await startTelemetry({ serviceName: 'api', config: {} });
    const { default: { _cache } } = await import('node:module');
    console.log(Object.keys(_cache).filter((file) => file.includes('opentelemetry')).length);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stdout.trim()).toBe('0');
});

test('a workflow span gets its parent and scope where the exporter looks, and plain attributes only', () => {
  const onEnd = vi.fn();
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
  const span = {
    name: 'RunWorkflow',
    spanContext: () => context,
    parentSpanId: 'c'.repeat(16),
    instrumentationLibrary: { name: 'workflow' },
    attributes: { workflowId: 'r1', startTime: new Date(), memo: { a: 1 } },
  };
  upgrading({ onEnd }).onEnd(span as never);
  expect(onEnd.mock.calls[0]![0]).toMatchObject({
    name: 'RunWorkflow',
    parentSpanContext: { traceId: context.traceId, spanId: 'c'.repeat(16) },
    instrumentationScope: { name: 'workflow' },
    attributes: { workflowId: 'r1' },
  });
  expect((onEnd.mock.calls[0]![0] as { attributes: object }).attributes).toEqual({ workflowId: 'r1' });
});

test('a span that says that nobody needs it is not exported', () => {
  const onEnd = vi.fn();
  const processor = wanted({ onEnd } as never);
  for (const attributes of [{ [UNWANTED]: true }, { [UNWANTED]: false }, {}]) processor.onEnd({ attributes } as never);
  expect(onEnd.mock.calls).toEqual([[{ attributes: { [UNWANTED]: false } }], [{ attributes: {} }]]);
});
