import { startTestPlatform, type TestPlatform } from '../../test/end-to-end/platform.ts';
import { startCollector } from './collector.ts';
import type { BenchServer } from './server.ts';
import { annealBatch, annealRow } from './wires.ts';

/** Everything is on, as users run it; what would end a benchmark is out of its way. */
const SETTINGS = {
  RATE_LIMIT_PREDICT_PER_MINUTE: '1000000000',
  ACCESS_TOKEN_EXPIRE_MINUTES: '600',
  MAX_BODY_BYTES: String(16 * 2 ** 20),
  SERVING_PROCESSES: '1',
};
export interface OurPlatform {
  /** Brings a model file and deploys it as an endpoint of that name. */
  readonly serve: (endpoint: string, onnx: Uint8Array) => Promise<BenchServer>;
  readonly platform: TestPlatform;
  /** Bytes of traces that were exported. */
  readonly traceBytes: () => number;
  readonly stop: () => Promise<void>;
}

/** The whole platform in a home of its own, with a collector for its traces; only its serving process is measured. */
export async function startOurPlatform(): Promise<OurPlatform> {
  const collector = await startCollector();
  const platform = await startTestPlatform({ ...SETTINGS, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  return {
    platform,
    traceBytes: collector.bytes,
    serve: async (endpoint, onnx) => {
      await deploy(platform, endpoint, onnx);
      return {
        name: 'Anneal',
        url: platform.urls.serving,
        headers: { authorization: `Bearer ${platform.token}` },
        pid: platform.pids()['serving']!,
        databasePid: platform.pids()['postgres']!,
        row: annealRow(endpoint),
        batch: annealBatch(endpoint),
        stop: () => Promise.resolve(),
      };
    },
    stop: async () => {
      await platform.stop();
      collector.stop();
    },
  };
}

async function deploy({ urls, send, post, finished }: TestPlatform, name: string, onnx: Uint8Array): Promise<void> {
  const versions = `/api/v1/models/${name}/versions`;
  const headers = { 'content-type': 'application/octet-stream' };
  const brought = await send(urls.api + versions, { method: 'POST', headers, body: Buffer.from(onnx) });
  if (!brought.ok) throw new Error(`bringing the model answered ${brought.status}: ${await brought.text()}`);
  const { version } = (await brought.json()) as { version: number };
  const { body } = await post<{ job_id: string }>(`${versions}/${version}/deploy`, {});
  const { state, error } = await finished(body.job_id);
  if (state !== 'COMPLETED') throw new Error(`deploying ${name} ended ${state}: ${error?.message}`);
}
