import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Client } from 'minio';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import type { MinioServer } from '../../lib/minio-server.ts';
import { connectTemporal } from '../../lib/temporal-connection.ts';
import type { TemporalServer } from '../../lib/temporal-server.ts';
import { sampleCsv } from '../../pipelines/sample-data.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../otlp-receiver.ts';
import {
  startTestMinio,
  startTestPostgres,
  startTestTemporal,
  temporaryFolder,
  type TemporaryFolder,
} from '../platform.ts';
import { scoreCustomer } from './customer.ts';
import { SECRETS, startTestPlatform, type TestPlatform } from './platform.ts';

// Every server is somebody else's: Anneal gets nothing but addresses and secrets.
const BUCKET = 'models-of-a-team';
const WRONG_PASSWORD = 'not-the-password-of-the-warehouse';

let postgres: EmbeddedPostgres;
let temporal: TemporalServer;
let minio: MinioServer;
let collector: OtlpReceiver;
let bucket: Client;
let home: TemporaryFolder;
let platform: TestPlatform;
beforeAll(async () => {
  [postgres, temporal, minio, collector, home] = await Promise.all([
    startTestPostgres(),
    startTestTemporal(),
    startTestMinio(),
    startOtlpReceiver(),
    temporaryFolder('home'),
  ]);
  const { hostname, port } = new URL(minio.endpoint);
  const { accessKey, secretKey } = minio;
  bucket = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
  const warehouse = new URL(postgres.url);
  warehouse.password = WRONG_PASSWORD;
  const settings = {
    ...SECRETS,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    S3_ENDPOINT: minio.endpoint,
    S3_BUCKET: BUCKET,
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
    SOURCE_DATABASES: JSON.stringify({ warehouse: warehouse.href }),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    LOG_LEVEL: 'trace',
    SHUTDOWN_GRACE_SECONDS: '60', // the last spans must have got out
  };
  platform = await startTestPlatform(settings, home.path);
});
afterAll(async () => {
  await platform?.stop();
  await Promise.all([postgres, temporal, minio, collector].map((server) => server?.stop()));
  await home?.remove();
});

async function keysInBucket(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { name } of bucket.listObjectsV2(BUCKET, '', true) as AsyncIterable<{ name: string }>) {
    keys.push(name);
  }
  return keys;
}

test('no server is started beside the ones that the configuration names', async () => {
  expect(Object.keys(platform.pids()).sort()).toEqual([
    'api',
    'serving',
    'worker-monitoring',
    'worker-pipeline',
    'worker-training',
  ]);
  const folders = await readdir(home.path);
  expect(folders).not.toContain('postgres');
  expect(folders).not.toContain('temporal');
});

test('an uploaded CSV becomes a model that answers, with every artifact in the bucket and none on the disk', async () => {
  const dataset = await platform.uploadSample('churn', 2000);
  const run = await platform.finished(await platform.train({ pipeline: 'churn', dataset_version: dataset }));
  expect(run).toMatchObject({ state: 'COMPLETED', promoted: true, model: { uri: 'models:/churn/1' } });
  expect(await scoreCustomer(platform.urls.serving, platform.token)).toMatchObject({
    status: 200,
    body: { model: { name: 'churn', version: 1 } },
  });

  const keys = await keysInBucket();
  expect(keys.length).toBeGreaterThan(10);
  for (const key of keys) {
    const sha256 = createHash('sha256')
      .update(await buffer(await bucket.getObject(BUCKET, key)))
      .digest('hex');
    expect(key).toBe(`sha256/${sha256.slice(0, 2)}/${sha256}`);
  }
  expect(await readdir(home.path)).not.toContain('artifacts');
});

test('an object that somebody put into the bucket is a source by its key', async () => {
  await bucket.putObject(BUCKET, 'imports/churn.csv', [...sampleCsv('churn', 2000, 11)].join(''));
  const source = { kind: 'object', key: 'imports/churn.csv', format: 'csv' };
  const run = await platform.finished(await platform.train({ pipeline: 'churn', source }));
  expect(run).toMatchObject({ state: 'COMPLETED', model: { uri: 'models:/churn/2' } });
  const { train, validation, test } = run.rows!;
  expect(train + validation + test).toBe(2000);
});

test('a key that names no object ends the run with that key', async () => {
  const source = { kind: 'object', key: 'imports/absent.csv', format: 'csv' };
  const run = await platform.finished(await platform.train({ pipeline: 'churn', source }));
  expect(run).toMatchObject({ state: 'FAILED', stage: 'make_dataset', error: { code: 'NOT_FOUND' } });
  expect(run.error!.message).toContain('imports/absent.csv');
});

test('while the object store says nothing the API is not ready, and a run waits for it and completes', async () => {
  const dataset = await platform.uploadSample('churn', 20_000);
  // Nothing is trained before the store is away, so the run still needs it then.
  const training = platform.pids()['worker-training']!;
  process.kill(training, 'SIGSTOP');
  let id: string;
  try {
    id = await platform.train({ pipeline: 'churn', dataset_version: dataset });
    await platform.waitFor(id, ({ stage }) => stage !== null);
    process.kill(minio.pid, 'SIGSTOP');
    process.kill(training, 'SIGCONT');
    // On a busy machine another check may take too long, once.
    await vi.waitFor(
      async () => {
        const ready = await fetch(`${platform.urls.api}/readyz`);
        expect([ready.status, await ready.json()]).toEqual([503, { status: 'not_ready', failing: ['artifacts'] }]);
      },
      { timeout: 60_000, interval: 200 },
    );
    // What is served does not need the store.
    expect((await scoreCustomer(platform.urls.serving, platform.token)).status).toBe(200);
    const away = /activity failed: the object store cannot be used/;
    await vi.waitFor(() => expect(platform.reports.join('\n')).toMatch(away), { timeout: 60_000, interval: 200 });
  } finally {
    process.kill(minio.pid, 'SIGCONT');
    process.kill(training, 'SIGCONT');
  }
  expect(await platform.finished(id)).toMatchObject({ state: 'COMPLETED' });
  const ready = async () => (await fetch(`${platform.urls.api}/readyz`)).status;
  await expect.poll(ready, { timeout: 60_000, interval: 200 }).toBe(200);
}, 300_000);

test('no secret is in a log, a span, a history or a command line, not even of what fails for its sake', async () => {
  const source = { kind: 'sql', connection: 'warehouse', query: 'select 1' };
  const id = await platform.train({ pipeline: 'churn', source });
  const log = join(home.path, 'logs', 'worker-pipeline.log');
  const failed = async () => (await readFile(log, 'utf8')).split('\n').some((line) => isFailureOf(line, id));
  await vi.waitFor(async () => expect(await failed()).toBe(true), { timeout: 60_000, interval: 200 });
  await platform.post(`/api/v1/runs/${id}/cancel`, {});
  await platform.finished(id);
  const commands = await Promise.all(Object.values(platform.pids()).map((pid) => commandLineOf(pid)));
  await platform.stop();

  const places = {
    logs: await textOfFolder(join(home.path, 'logs')),
    spans: collector.text(),
    histories: await historiesOf(temporal.address),
    commands: commands.join('\n'),
    reports: platform.reports.join('\n'),
  };
  const secrets = {
    database: new URL(postgres.url).password,
    warehouse: WRONG_PASSWORD,
    objectStore: minio.secretKey,
    tokens: SECRETS.JWT_SECRET_KEY,
    administrator: SECRETS.ADMIN_PASSWORD,
    access: platform.token,
  };
  // The search must find what is there.
  const known = { logs: id, spans: id, histories: '"connection":"warehouse"', commands: 'workers/main.ts' };
  for (const [where, word] of Object.entries(known)) {
    expect(places[where as keyof typeof known].includes(word), `${word} in the ${where}`).toBe(true);
  }
  for (const [where, text] of Object.entries(places)) {
    for (const [what, secret] of Object.entries(secrets)) {
      expect(text.includes(secret), `the ${what} secret in the ${where}`).toBe(false);
    }
  }
});

function isFailureOf(line: string, id: string): boolean {
  return line.includes(id) && line.includes('"msg":"activity failed"');
}

async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', `${pid}`])).stdout;
}

async function textOfFolder(folder: string): Promise<string> {
  const files = await readdir(folder);
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
}

/** Every workflow's whole history, with its payloads as text. */
async function historiesOf(address: string): Promise<string> {
  const client = await connectTemporal({ address, namespace: 'default' });
  try {
    const texts: string[] = [];
    for await (const { workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      texts.push(JSON.stringify(history), ...payloadsOf(JSON.parse(JSON.stringify(history))));
    }
    return texts.join('\n');
  } finally {
    await client.connection.close();
  }
}

/** In a history's JSON the bytes of a payload are base64 in `data`. */
function payloadsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === 'data' && typeof inner === 'string' ? [Buffer.from(inner, 'base64').toString()] : payloadsOf(inner),
  );
}
