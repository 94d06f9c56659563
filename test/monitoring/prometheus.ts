import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startProgram, waitUntilReady } from '../../lib/child-process.ts';
import { claimPort } from '../../lib/ports.ts';
import { MONITORING } from './files.ts';

export interface Target {
  readonly job: string;
  readonly url: string;
}
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
export type Prometheus = Awaited<ReturnType<typeof startPrometheus>>;

/**
 * A real Prometheus with our configuration as it is, but for the targets and the time between scrapes, which a test would
 * wait for.
 */
export async function startPrometheus(program: string, folder: string, targets: readonly Target[]) {
  const configuration = join(folder, 'configuration');
  await cp(join(MONITORING, 'prometheus'), configuration, { recursive: true });
  await rm(join(configuration, 'targets'), { recursive: true });
  await mkdir(join(configuration, 'targets'));
  const file = targets.map(({ job, url }) => ({ targets: [new URL(url).host], labels: { job } }));
  await writeFile(join(configuration, 'targets', 'test.yml'), JSON.stringify(file)); // JSON is YAML
  const path = join(configuration, 'prometheus.yml');
  // Not 1 s, which is then also the limit of a scrape: serving takes as long when one of its processes is slow to answer.
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll(': 10s', ': 2s'));

  const url = `http://127.0.0.1:${await claimPort(0, 'PROMETHEUS_PORT')}`;
  const options = {
    name: 'Prometheus',
    command: program,
    args: [
      `--config.file=${path}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    logFile: join(folder, 'prometheus.log'),
    pidFile: join(folder, 'prometheus.pid'),
  };
  const running = await startProgram(options);
  await waitUntilReady(running, options, async () => (await fetch(`${url}/-/ready`)).ok);

  const get = async <T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query).toString()}`);
    const body = (await response.json()) as { status: string; data: T; error?: string };
    if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(query)}: ${body.error}`);
    return body.data;
  };
  return {
    url,
    get,
    query: async (expression: string) =>
      (await get<{ result: readonly Sample[] }>('query', { query: expression })).result,
    /** Answers what is still wrong after `timeoutMs` of looking at it again; nothing when all is right. */
    settled: async (wrong: () => Promise<readonly string[]>, timeoutMs = 120_000): Promise<readonly string[]> => {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const left = await wrong();
        if (left.length === 0 || Date.now() > deadline) return left;
        await delay(1000);
      }
    },
    stop: running.stop,
  };
}

/** The machine's metrics, from Prometheus' node exporter on a free port. */
export async function startNodeExporter(program: string, folder: string) {
  const url = `http://127.0.0.1:${await claimPort(0, 'NODE_EXPORTER_PORT')}`;
  const options = {
    name: 'the node exporter',
    command: program,
    args: [`--web.listen-address=${new URL(url).host}`],
    logFile: join(folder, 'node-exporter.log'),
    pidFile: join(folder, 'node-exporter.pid'),
  };
  const running = await startProgram(options);
  await waitUntilReady(running, options, async () => (await fetch(`${url}/metrics`)).ok);
  return { url, stop: running.stop };
}
