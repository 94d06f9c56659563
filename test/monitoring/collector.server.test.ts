import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTelemetry } from '../../lib/telemetry.ts';
import { inSpan } from '../../lib/tracing.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp-receiver.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';
import { findCollector, startCollector } from './collector.ts';

const SOON = { timeout: 20_000, interval: 200 };
const path = await findCollector({ progress: console.error });

requireProgram(
  { name: 'the OpenTelemetry collector', path, install: 'put otelcol on the PATH, or install Go' },
  (program) => {
    let folder: TemporaryFolder;
    let jaeger: OtlpReceiver;
    let collector: Awaited<ReturnType<typeof startCollector>>;
    beforeAll(async () => {
      folder = await temporaryFolder('collector');
      jaeger = await startOtlpReceiver();
      collector = await startCollector(program, folder.path, jaeger.endpoint);
    });
    afterAll(async () => {
      await collector?.stop();
      await jaeger?.stop();
      await folder?.remove();
    });
    const post = async (kind: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${collector.endpoint}/v1/${kind}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(200);
    };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
    const timeUnixNano = `${BigInt(Date.now()) * 1_000_000n}`;

    test('a span of Anneal arrives where traces go, with its service', async () => {
      const config = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
      const telemetry = await startTelemetry({ serviceName: 'api', config });
      await inSpan('by way of the collector', { 'anneal.request_id': 'r1' }, () => Promise.resolve());
      await telemetry.shutdown();
      await vi.waitFor(
        () =>
          expect(jaeger.spans()).toMatchObject([
            { service: 'api', name: 'by way of the collector', attributes: { 'anneal.request_id': 'r1' } },
          ]),
        SOON,
      );
    });

    test('a metric that is sent can be scraped', async () => {
      const sum = { dataPoints: [{ asInt: '7', timeUnixNano }], aggregationTemporality: 2, isMonotonic: true };
      await post('metrics', {
        resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'orders', sum }] }] }],
      });
      await vi.waitFor(
        async () => expect(await collector.metrics()).toMatch(/^orders_total\{.*job="shop".*\} 7/m),
        SOON,
      );
    });

    test('a log line that is sent is in the output', async () => {
      const logRecords = [{ timeUnixNano, severityText: 'WARN', body: { stringValue: 'out of stock' } }];
      await post('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
      await vi.waitFor(async () => expect(await collector.log()).toContain('out of stock'), SOON);
    });
  },
);
