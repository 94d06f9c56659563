import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { findCollector } from '../../lib/otel-collector.ts';
import { startTelemetry } from '../../lib/telemetry.ts';
import { inSpan } from '../../lib/tracing.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp-receiver.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';
import { COLLECTOR_CONFIG, startCollector } from './collector.ts';

const SOON = { timeout: 60_000, interval: 200 };
const path = await findCollector({ progress: console.error });

requireProgram(
  { name: 'the OpenTelemetry collector', path, install: 'put otelcol-contrib on the PATH, or install Go' },
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

    test('a log line that is sent is kept', async () => {
      const logRecords = [{ timeUnixNano, severityText: 'WARN', body: { stringValue: 'out of stock' } }];
      await post('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
      await vi.waitFor(
        async () => expect(await collector.logs()).toContainEqual(expect.objectContaining({ body: 'out of stock' })),
        SOON,
      );
    });

    const traceId = 'a1'.repeat(16);
    const line = (fields: object) =>
      `${JSON.stringify({ level: 'warn', service: 'serving', msg: 'late', ...fields })}\n`;
    const kept = (log: string, more = {}) => ({ log, stream: 'stdout', time: new Date().toISOString(), ...more });
    const ofService = (name: string) => ({ attrs: { 'com.docker.compose.service': name } });
    const gathered = (expected: object) =>
      vi.waitFor(async () => expect(await collector.logs()).toContainEqual(expect.objectContaining(expected)), SOON);

    test('a line that a container writes is found by its trace, with service, level and run', async () => {
      const ours = line({ trace_id: traceId, span_id: 'b2'.repeat(8), run_id: 'train-1' });
      await collector.write('c1', [kept(ours, ofService('serving-2'))]);
      await gathered({
        ...{ service: 'serving', body: 'late', severity: 13, traceId, spanId: 'b2'.repeat(8) },
        attributes: expect.objectContaining({ run_id: 'train-1', 'log.file.name': 'c1-json.log' }) as object,
      });
    });

    test('what follows in the same file is gathered too, and a line that Docker has cut is one again', async () => {
      const long = line({ trace_id: 'c3'.repeat(16), msg: 'x'.repeat(40_000) });
      const parts = [long.slice(0, 16_384), long.slice(16_384, 32_768), long.slice(32_768)];
      await collector.write('c1', [...parts.map((part) => kept(part)), kept(line({ msg: 'next' }))]);
      await gathered({ traceId: 'c3'.repeat(16), body: 'x'.repeat(40_000), severity: 13 });
      await gathered({ service: 'serving', body: 'next' });
    });

    test('lines of others are kept as they are, under the name that Compose has for them', async () => {
      const texts = ['LOG:  database system is ready\n', '{"level":"info"} is no JSON\n', '{"rows":3}\n'];
      await collector.write(
        'c2',
        texts.map((text) => kept(text, ofService('postgres'))),
      );
      for (const body of texts) await gathered({ service: 'postgres', body });
    });

    test('a collector answers for its health with its own program, as the health check of the service does', async () => {
      const ask = (url: string) =>
        promisify(execFile)(program, ['validate', `--config=${COLLECTOR_CONFIG}`, `--config=${url}`], {
          env: collector.env,
        });
      await expect(ask(collector.health)).resolves.toBeDefined();
      await expect(ask('http://127.0.0.1:1')).rejects.toThrow('unable to download');
    });
  },
);
