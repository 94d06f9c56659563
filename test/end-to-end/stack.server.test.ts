import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'minio';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { onPath } from '../../lib/go-install.ts';
import { findNginx } from '../../lib/nginx.ts';
import { collectorProgram } from '../../lib/otel-collector.ts';
import { churnRows, exampleCustomer } from '../../pipelines/churn.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp-receiver.ts';
import { requireProgram } from '../programs.ts';
import { startTestStack, type TestStack } from './stack.ts';

const BUFFER = 200;
const SINGLE = 100;
// Print nothing while all is well.
const SILENT = ['temporal', 'postgres'];

const install = 'apt-get install --no-install-recommends nginx-light prometheus prometheus-node-exporter golang';
const all = findNginx() && onPath('prometheus') && onPath('prometheus-node-exporter') && collectorProgram();

requireProgram({ name: 'nginx, Prometheus, its node exporter and a collector', path: all, install }, () => {
  let stack: TestStack;
  let jaeger: OtlpReceiver;
  beforeAll(async () => {
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4318' };
    stack = await startTestStack({ COMPOSE_PROFILES: 'full', BUFFER_SIZE: String(BUFFER), ...collector });
    jaeger = await startOtlpReceiver({ host: stack.addressOf('jaeger'), port: 4318 });
  });
  afterAll(async () => {
    await jaeger?.stop();
    await stack?.stop();
    await stack?.remove();
  });

  test('every service of docker-compose.yml is healthy but those that cannot be had, which are named', async () => {
    const left = stack.services.filter(({ leftOut }) => leftOut !== null).map(({ name }) => name);
    expect(left).toEqual(['jaeger', 'grafana']);
    const once = ['migrate', 'temporal-ui']; // the Web UI is a part of Temporal's program
    const running = stack.services.map(({ name }) => name).filter((name) => ![...left, ...once].includes(name));
    expect(Object.keys(stack.pids()).sort()).toEqual(running.sort());
    for (const [service, path] of Object.entries({
      'temporal-ui': ':8080/healthz',
      gateway: ':8088/healthz',
      api: ':8000/readyz',
    })) {
      const status = async () => (await fetch(`http://${stack.addressOf(service)}${path}`)).status;
      // A check that takes more than a second fails, once.
      await expect.poll(status, { timeout: 60_000, interval: 200, message: service }).toBe(200);
    }
  });

  test('a model is trained through the gateway; its artifacts are in MinIO and its rows in Postgres', async () => {
    const dataset = await stack.uploadSample('churn', 3000);
    const run = await stack.finished(await stack.train({ pipeline: 'churn', dataset_version: dataset }));
    expect(run).toMatchObject({ state: 'COMPLETED', promoted: true, model: { uri: 'models:/churn/1' } });

    const [accessKey, secretKey] = [await stack.secret('s3_access_key'), await stack.secret('s3_secret_key')];
    const bucket = new Client({ endPoint: stack.addressOf('minio'), port: 9000, useSSL: false, accessKey, secretKey });
    const keys: string[] = [];
    for await (const { name } of bucket.listObjectsV2('anneal', '', true) as AsyncIterable<{ name: string }>)
      keys.push(name);
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter((key) => !/^sha256\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(key))).toEqual([]);

    const versions = await query((sql) => sql`select model_name, version, run_id from model_versions`);
    expect(versions).toEqual([{ model_name: 'churn', version: 1, run_id: run.job_id }]);
  });

  test('predictions through the gateway are balanced over both serving processes, and each is kept once', async () => {
    const served = () => Promise.all(['serving-1', 'serving-2'].map(rowsServed));
    const before = await served();
    for (let left = SINGLE; left > 0; left -= 10)
      await Promise.all(Array.from({ length: 10 }, () => predict('', exampleCustomer)));
    const shares = (await served()).map((rows, index) => rows - before[index]!);
    expect(shares[0]! + shares[1]!).toBe(SINGLE);
    expect(Math.min(...shares)).toBeGreaterThan(SINGLE / 4);
    const kept = async () =>
      (await query<{ rows: number }>((sql) => sql`select count(*)::int as rows from predictions`))[0]!.rows;
    await vi.waitFor(async () => expect(await kept()).toBe(SINGLE), { timeout: 60_000, interval: 200 });
  });

  test('a drift report opens on the port of the reports, for the name and password of a user', async () => {
    await predict('/batch', { rows: Array.from(churnRows(BUFFER, 11), ({ churned: _, ...row }) => row) });
    const reports = `http://${stack.addressOf('gateway')}:8080`;
    expect((await fetch(`${reports}/reports`)).status).toBe(401);
    const basic = Buffer.from(`admin:${await stack.secret('admin_password')}`).toString('base64');
    const open = (path: string) => fetch(`${reports}${path}`, { headers: { authorization: `Basic ${basic}` } });
    // Of an address, passwords are looked at 30 times a minute.
    await vi.waitFor(async () => expect((await open('/reports/churn/1')).status).toBe(200), {
      timeout: 120_000,
      interval: 3000,
    });
    expect(await (await open('/reports/churn/1')).text()).toContain('monthly_charges');
    expect(await (await open('/')).text()).toContain('/reports/churn/1');
    expect((await open('/api/v1/runs')).status).toBe(404);
  });

  test('the metrics of every process are scraped by the real Prometheus', async () => {
    const targets = async () => {
      const answer = await fetch(`http://${stack.addressOf('prometheus')}:9090/api/v1/targets?state=active`);
      const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
      return Object.fromEntries(
        data.activeTargets.map(({ scrapeUrl, health, labels }) => [scrapeUrl, [labels.job, health]]),
      );
    };
    const at = (service: string, port: number) => `http://${stack.addressOf(service)}:${port}/metrics`;
    const expected = {
      [at('api', 8000)]: ['api', 'up'],
      [at('serving-1', 8100)]: ['serving', 'up'],
      [at('serving-2', 8100)]: ['serving', 'up'],
      [at('worker-pipeline', 9101)]: ['worker', 'up'],
      [at('worker-training', 9102)]: ['worker', 'up'],
      [at('worker-monitoring', 9103)]: ['worker', 'up'],
      [at('node-exporter', 9100)]: ['node', 'up'],
      [at('otel-collector', 8889)]: ['otel', 'up'],
    };
    await vi.waitFor(async () => expect(await targets()).toEqual(expected), { timeout: 120_000, interval: 1000 });
  });

  test('the collector has the log of every process, and passes the traces of a run on to where Jaeger is', async () => {
    // A line of Anneal says its service itself, which is the same for both serving processes.
    const printing = [...Object.keys(stack.pids()), 'migrate']
      .filter((name) => !SILENT.includes(name))
      .map((name) => name.replace(/^serving-\d$/, 'serving'));
    const gathered = join(stack.home, 'volumes', 'collected-logs', 'logs.json');
    const missing = async () => {
      const text = await readFile(gathered, 'utf8');
      return printing.filter((name) => !text.includes(`{"stringValue":"${name}"}`));
    };
    await vi.waitFor(async () => expect(await missing()).toEqual([]), { timeout: 60_000, interval: 500 });
    const services = () => [...new Set(jaeger.spans().map(({ service }) => service))].sort();
    const traced = ['api', 'serving', 'worker-monitoring', 'worker-pipeline', 'worker-training'];
    await vi.waitFor(() => expect(services()).toEqual(traced), { timeout: 60_000, interval: 500 });
  });

  test('a service that is killed is started again', async () => {
    const before = stack.pids()['worker-training']!;
    process.kill(before, 'SIGKILL');
    const ready = `http://${stack.addressOf('worker-training')}:9102/readyz`;
    await vi.waitFor(
      async () => {
        expect(stack.pids()['worker-training']).not.toBe(before);
        expect((await fetch(ready)).status).toBe(200);
      },
      { timeout: 120_000, interval: 200 },
    );
  });

  test('after the stop no process is left and nobody listens', async () => {
    const pids = Object.values(stack.pids());
    const network = stack.addressOf('api').split('.').slice(0, 3).join('.');
    expect(listeners(network).length).toBeGreaterThan(10);
    expect(processesOf(stack.home).length).toBeGreaterThan(10);
    await jaeger.stop();
    await stack.stop();
    expect(pids.filter((pid) => readdirSync('/proc').includes(String(pid)))).toEqual([]);
    expect(processesOf(stack.home)).toEqual([]);
    expect(listeners(network)).toEqual([]);
  });

  async function predict(path: string, body: unknown): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const url = `${stack.gateway}/api/v1/predict/churn${path}`;
    const answer = await stack.send(url, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(answer.status, await answer.text()).toBe(200);
  }

  async function rowsServed(service: string): Promise<number> {
    const text = await (await fetch(`http://${stack.addressOf(service)}:8100/metrics`)).text();
    return [...text.matchAll(/^anneal_predictions_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, rows]) => sum + Number(rows),
      0,
    );
  }

  async function query<T = Record<string, unknown>>(
    ask: (sql: postgres.Sql) => Promise<readonly unknown[]>,
  ): Promise<T[]> {
    const url = new URL((await stack.secret('database_url')).replace('@postgres:', `@${stack.addressOf('postgres')}:`));
    const sql = postgres(url.href, { max: 1 });
    try {
      return [...(await ask(sql))] as T[];
    } finally {
      await sql.end();
    }
  }
});

interface Target {
  readonly scrapeUrl: string;
  readonly health: string;
  readonly labels: { readonly job: string };
}

/** Processes that were told of a path in the folder, in their arguments or environment. */
const processesOf = (folder: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ['cmdline', 'environ'].some((file) => readOr(`/proc/${pid}/${file}`).includes(folder)));

/** Addresses of this network on which somebody listens, as /proc/net/tcp shows them. */
function listeners(network: string): string[] {
  const hex = network
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
    .toReversed()
    .join('');
  return readOr('/proc/net/tcp')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state]) => (state === '0A' && local.slice(2, 8) === hex ? [local] : []));
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it has just ended
  }
}
