import { join } from 'node:path';
import { connect } from '../../db/connect.ts';
import { createModelRepository } from '../../db/models.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { startTestPlatform, type TestPlatform } from '../../test/end-to-end/platform.ts';
import { probabilitiesOf } from '../../test/serving/example-models.ts';
import { startCollector } from './collector.ts';
import { benchRows, SIGNATURE } from './data.ts';
import type { BenchServer } from './server.ts';
import { annealBatch, annealRow } from './wires.ts';

/** Everything is on, as users run it; what would end a benchmark is out of its way. */
const SETTINGS = {
  RATE_LIMIT_PREDICT_PER_MINUTE: '1000000000',
  ACCESS_TOKEN_EXPIRE_MINUTES: '600',
  MAX_BODY_BYTES: String(16 * 2 ** 20),
  SERVING_PROCESSES: '1',
  PREDICTION_LOG_MAX_BYTES: String(16 * 2 ** 30),
};
export interface OurPlatform {
  /** Makes a model of the file and deploys it as an endpoint of that name. */
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

/**
 * As a file is brought by REST, but past the check of files from outside: it allows so much processor time for each MiB,
 * which loading the heavy model exceeds.
 */
async function deploy(
  { home, databaseUrl, post, finished }: TestPlatform,
  name: string,
  onnx: Uint8Array,
): Promise<void> {
  const store = createFolderStore(join(home, 'artifacts'));
  const rows = benchRows(20, 13);
  const golden = { rows, probabilities: await probabilitiesOf(onnx, rows) };
  const database = connect(databaseUrl, { max: 1 });
  const { version } = await createModelRepository(database.db)
    .importVersion({
      modelName: name,
      onnxSha256: (await store.put(onnx)).sha256,
      onnxBytes: onnx.length,
      goldenRowsSha256: (await store.put(Buffer.from(JSON.stringify(golden)))).sha256,
      signature: SIGNATURE,
      inputExample: rows[0]!,
      importedBy: 'bench',
    })
    .finally(database.close);
  const { body } = await post<{ job_id: string }>(`/api/v1/models/${name}/versions/${version}/deploy`, {});
  const { state, error } = await finished(body.job_id);
  if (state !== 'COMPLETED') throw new Error(`deploying ${name} ended ${state}: ${error?.message}`);
}
