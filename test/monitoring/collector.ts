import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProgram, waitUntilReady } from '../../lib/child-process.ts';
import { claimPort } from '../../lib/ports.ts';
import { MONITORING } from './files.ts';

export const COLLECTOR_CONFIG = join(MONITORING, 'otel/collector.yaml');

/** What one gathered log line became. */
export interface LogRecord {
  readonly service: string | undefined;
  readonly body: string;
  readonly severity: number;
  /** Hexadecimal; empty without one. */
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A collector with our configuration as it is, on free ports; `traces` takes what it passes on. */
export async function startCollector(program: string, folder: string, traces: string) {
  const address = async (name: string) => `127.0.0.1:${await claimPort(0, name)}`;
  const logs = join(folder, 'logs.json');
  const containers = join(folder, 'containers');
  const env = {
    OTEL_HEALTH_ENDPOINT: await address('OTEL_HEALTH_ENDPOINT'),
    OTEL_GRPC_ENDPOINT: await address('OTEL_GRPC_ENDPOINT'),
    OTEL_HTTP_ENDPOINT: await address('OTEL_HTTP_ENDPOINT'),
    OTEL_METRICS_ENDPOINT: await address('OTEL_METRICS_ENDPOINT'),
    TRACES_ENDPOINT: traces,
    LOGS_GLOB: join(containers, '*/*-json.log'),
    LOGS_FILE: logs,
  };
  const options = {
    name: 'the collector',
    command: program,
    args: [`--config=${COLLECTOR_CONFIG}`],
    env: { ...process.env, ...env },
    logFile: join(folder, 'collector.log'),
    pidFile: join(folder, 'collector.pid'),
  };
  const running = await startProgram(options);
  await waitUntilReady(running, options, async () => (await fetch(`http://${env.OTEL_HEALTH_ENDPOINT}`)).ok);
  return {
    env: options.env,
    health: `http://${env.OTEL_HEALTH_ENDPOINT}`,
    endpoint: `http://${env.OTEL_HTTP_ENDPOINT}`,
    metrics: async () => (await fetch(`http://${env.OTEL_METRICS_ENDPOINT}/metrics`)).text(),
    /** What a container writes, as Docker keeps it. */
    write: async (container: string, lines: readonly object[]) => {
      await mkdir(join(containers, container), { recursive: true });
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await appendFile(join(containers, container, `${container}-json.log`), text);
    },
    logs: async () => (await readFile(logs, 'utf8')).split('\n').filter(Boolean).flatMap(recordsOf),
    stop: running.stop,
  };
}

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
interface Batch {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes?: Attributes };
    readonly scopeLogs: readonly { readonly logRecords: readonly WireRecord[] }[];
  }[];
}
interface WireRecord {
  readonly body: { readonly stringValue: string };
  readonly severityNumber?: number;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes?: Attributes;
}

function recordsOf(line: string): LogRecord[] {
  return (JSON.parse(line) as Batch).resourceLogs.flatMap(({ resource, scopeLogs }) => {
    const service = valuesOf(resource.attributes)['service.name'] as string | undefined;
    return scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body, severityNumber = 0, traceId = '', spanId = '', attributes }) => ({
        ...{ service, body: body.stringValue, severity: severityNumber, traceId, spanId },
        attributes: valuesOf(attributes),
      })),
    );
  });
}

const valuesOf = (attributes: Attributes = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
