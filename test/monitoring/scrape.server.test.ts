import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onPath } from '../../lib/go-install.ts';
import { claimPort } from '../../lib/ports.ts';
import { churnRows, DEARER_MARKET, exampleCustomer } from '../../pipelines/churn.ts';
import { startTestPlatform, type TestPlatform } from '../end-to-end/platform.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp-receiver.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';
import { readExposition, readTable } from './exposition.ts';
import { alerts, dashboards, MONITORING } from './files.ts';
import { type Prometheus, startNodeExporter, startPrometheus, type Target } from './prometheus.ts';

const BUFFER = 500;
const WORKERS = ['PIPELINE', 'TRAINING', 'MONITORING'] as const;

const install = 'apt-get install --no-install-recommends prometheus prometheus-node-exporter';
const nodeExporter = onPath('prometheus-node-exporter');
const program = nodeExporter && onPath('prometheus');

requireProgram({ name: 'Prometheus', path: program, install }, (path) => {
  let folder: TemporaryFolder;
  let receiver: OtlpReceiver;
  let platform: TestPlatform;
  let machine: Awaited<ReturnType<typeof startNodeExporter>>;
  let prometheus: Prometheus;
  let targets: Target[];
  let traffic: Promise<void>;
  let over = false;
  beforeAll(async () => {
    folder = await temporaryFolder('prometheus');
    receiver = await startOtlpReceiver();
    const ports = await Promise.all(WORKERS.map((role) => claimPort(0, `WORKER_${role}_METRICS_PORT`)));
    platform = await startTestPlatform({
      ...Object.fromEntries(WORKERS.map((role, index) => [`WORKER_${role}_METRICS_PORT`, String(ports[index])])),
      SERVING_PROCESSES: '2',
      SERVING_TRACE_SAMPLE_RATIO: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      BUFFER_SIZE: String(BUFFER),
    });
    machine = await startNodeExporter(nodeExporter!, folder.path);
    const { api, serving } = platform.urls;
    targets = [
      { job: 'api', url: api },
      { job: 'serving', url: serving },
      ...ports.map((port) => ({ job: 'worker', url: `http://127.0.0.1:${port}` })),
      { job: 'node', url: machine.url },
    ];
    prometheus = await startPrometheus(path, folder.path, targets);
    const run = await platform.train({
      pipeline: 'churn',
      dataset_version: await platform.uploadSample('churn', 3000),
    });
    expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED', promoted: true });
    traffic = keepCalling();
    await predict('/batch', { rows: [...churnRows(2 * BUFFER, 5, DEARER_MARKET)] });
  });
  afterAll(async () => {
    over = true;
    await traffic;
    await prometheus?.stop();
    await machine?.stop();
    await platform?.stop();
    await receiver?.stop();
    await folder?.remove();
  });

  const predict = async (kind: string, body: unknown) =>
    (
      await platform.send(`${platform.urls.serving}/api/v1/predict/churn${kind}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).text();
  /** Customers, some of whom send what is refused. */
  async function keepCalling(): Promise<void> {
    while (!over) {
      for (let call = 0; call < 10; call++) await predict('', exampleCustomer);
      await predict('', { ...exampleCustomer, tenure: 'long' });
      await delay(200);
    }
  }

  test('all targets answer', async () => {
    /** Those that were not reached, and those that were not yet asked. */
    const notUp = async () => {
      const up = (await prometheus.query('up')).filter(({ value }) => value[1] === '1');
      const instances = new Set(up.map(({ metric }) => metric['instance']));
      return targets.map(({ url }) => new URL(url).host).filter((host) => !instances.has(host));
    };
    expect(await prometheus.settled(notUp)).toEqual([]);
    expect(await prometheus.query('up')).toHaveLength(targets.length);
  });

  /** As Grafana asks, with every value of every variable. */
  const filledIn = (expression: string) =>
    expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(endpoint)\b/g, '.*');

  test.each([...dashboards()])(
    'every expression of the dashboard %s returns data',
    async (_, { panels, templating }) => {
      const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => filledIn(expr)));
      const variables = templating.list.filter(({ type }) => type === 'query').map(({ query }) => query);
      const series = variables.map((query) => /^label_values\((.+), *\w+\)$/.exec(query)![1]!);
      const empty = async () => {
        const found = await Promise.all([...expressions, ...series].map((expr) => prometheus.query(expr)));
        return [...expressions, ...series].filter((_, index) => !found[index]!.some(({ value }) => value[1] !== 'NaN'));
      };
      expect(await prometheus.settled(empty)).toEqual([]);
    },
  );

  test('every metric that an alert or a dashboard names is there', async () => {
    const expressions = [
      ...alerts().map(({ expr }) => expr),
      ...[...dashboards().values()].flatMap(({ panels }) =>
        panels.flatMap(({ targets }) => targets.map((one) => one.expr)),
      ),
    ];
    const named = new Set(
      expressions.flatMap((expr) => expr.match(/\b(anneal|temporal|node|process)_[a-z_]+\b/gi) ?? []),
    );
    expect(named.size).toBeGreaterThan(30);
    const absent = async () => {
      const there = new Set(await prometheus.get<readonly string[]>('label/__name__/values'));
      return [...named].filter((name) => !there.has(name));
    };
    expect(await prometheus.settled(absent)).toEqual([]);
  });

  test('the table in docs/metrics.md names what the processes show, with its type and labels, and nothing else', async () => {
    const own = targets.filter(({ job }) => job !== 'node');
    const texts = await Promise.all(own.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    const shown = new Map(
      texts.flatMap((text) => [...readExposition(text)]).filter(([name]) => name.startsWith('anneal_')),
    );
    const table = readTable(await readFile(join(MONITORING, '../docs/metrics.md'), 'utf8'));
    expect([...table.keys()].sort()).toEqual([...shown.keys()].sort());
    for (const [name, { type, labels }] of shown) {
      expect(table.get(name)!.type, name).toBe(type);
      if (labels) expect(table.get(name)!.labels, name).toEqual(labels);
    }
  });

  test.each(['anneal_prediction_request_seconds_bucket', 'anneal_api_request_seconds_bucket'])(
    'Prometheus has exemplars of %s that lead to spans the collector has',
    async (metric) => {
      type Exemplars = readonly { readonly exemplars: readonly { readonly labels: { readonly trace_id: string } }[] }[];
      const seconds = Date.now() / 1000;
      const window = { start: String(seconds - 600), end: String(seconds + 600) };
      const missing = async () => {
        const series = await prometheus.get<Exemplars>('query_exemplars', { query: metric, ...window });
        const traces = series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
        const known = new Set(receiver.spans().map(({ traceId }) => traceId));
        return traces.some((trace) => known.has(trace)) ? [] : [`${traces.length} exemplars, ${known.size} traces`];
      };
      expect(await prometheus.settled(missing)).toEqual([]);
    },
  );

  test('all alerts are evaluated without an error, and the one for drift is up', async () => {
    interface Rules {
      readonly groups: readonly {
        rules: readonly { name: string; health: string; lastError?: string; state: string }[];
      }[];
    }
    const rules = async () => (await prometheus.get<Rules>('rules')).groups.flatMap(({ rules }) => rules);
    const wrong = async () =>
      (await rules()).filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name} ${lastError}`);
    expect(await prometheus.settled(wrong)).toEqual([]);
    expect(await rules()).toHaveLength(alerts().length);
    const state = async (alert: string) => (await rules()).find(({ name }) => name === alert)?.state;
    expect(await prometheus.settled(async () => ((await state('Drift')) === 'firing' ? [] : ['Drift']))).toEqual([]);
    // One scrape that took too long makes it pending.
    const down = async () => ((await state('TargetDown')) === 'inactive' ? [] : ['TargetDown']);
    expect(await prometheus.settled(down)).toEqual([]);
  }, 480_000);
});
