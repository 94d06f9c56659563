import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../lib/cache-folder.ts';
import { startProgram, waitUntilReady } from '../../lib/child-process.ts';
import { cachedProgram, type FindOptions, goInstall, onPath } from '../../lib/go-install.ts';
import { claimPort } from '../../lib/ports.ts';
import { MONITORING } from './files.ts';

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.155.0';

/** An OpenTelemetry collector: PATH, cache, or built with Go, which takes two minutes on two cores. Undefined without all three. */
export async function findCollector(options: FindOptions = {}): Promise<string | undefined> {
  const found = onPath('otelcol', options.env) ?? cachedProgram('otelcol', options.env);
  if (found) return found;
  const builder = await goInstall('builder', BUILDER, options);
  return builder && (await build(builder, options));
}

async function build(builder: string, { env, progress = () => {} }: FindOptions): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-otelcol-'));
  try {
    progress('building otelcol …');
    const manifest = await readFile(join(MONITORING, 'otel/builder.yaml'), 'utf8');
    const config = join(folder, 'builder.yaml');
    await writeFile(config, manifest.replace('./otelcol', folder));
    await promisify(execFile)(builder, [`--config=${config}`], { env: env ?? process.env });
    await copyFile(join(folder, 'otelcol'), join(cacheFolder(env), 'bin', 'otelcol'));
    return cachedProgram('otelcol', env);
  } catch (error) {
    progress(`otelcol was not built: ${(error as Error).message}`);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A collector with our configuration as it is, on free ports; `traces` takes what it passes on. */
export async function startCollector(program: string, folder: string, traces: string) {
  const address = async (name: string) => `127.0.0.1:${await claimPort(0, name)}`;
  const env = {
    OTEL_HEALTH_ENDPOINT: await address('OTEL_HEALTH_ENDPOINT'),
    OTEL_GRPC_ENDPOINT: await address('OTEL_GRPC_ENDPOINT'),
    OTEL_HTTP_ENDPOINT: await address('OTEL_HTTP_ENDPOINT'),
    OTEL_METRICS_ENDPOINT: await address('OTEL_METRICS_ENDPOINT'),
    TRACES_ENDPOINT: traces,
  };
  const options = {
    name: 'the collector',
    command: program,
    args: [`--config=${join(MONITORING, 'otel/collector.yaml')}`],
    env: { ...process.env, ...env },
    logFile: join(folder, 'collector.log'),
    pidFile: join(folder, 'collector.pid'),
  };
  const running = await startProgram(options);
  await waitUntilReady(running, options, async () => (await fetch(`http://${env.OTEL_HEALTH_ENDPOINT}`)).ok);
  return {
    endpoint: `http://${env.OTEL_HTTP_ENDPOINT}`,
    metrics: async () => (await fetch(`http://${env.OTEL_METRICS_ENDPOINT}/metrics`)).text(),
    log: () => readFile(options.logFile, 'utf8'),
    stop: running.stop,
  };
}
