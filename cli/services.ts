import { join } from 'node:path';
import { predecessorEnded } from '../lib/child-process.ts';
import type { Config } from '../lib/config.ts';
import { claimPort } from '../lib/ports.ts';
import { keepRunning, type Kept, type Running } from '../lib/keep-running.ts';
import { pidFileOf, startService } from './service.ts';

// Serving need only be alive: it is ready once a first model is deployed.
const SERVICES = [
  {
    name: 'worker-pipeline',
    main: 'workers/main.ts',
    args: ['pipeline'],
    port: 'WORKER_PIPELINE_METRICS_PORT',
    probe: '/readyz',
  },
  {
    name: 'worker-training',
    main: 'workers/main.ts',
    args: ['training'],
    port: 'WORKER_TRAINING_METRICS_PORT',
    probe: '/readyz',
  },
  {
    name: 'worker-monitoring',
    main: 'workers/main.ts',
    args: ['monitoring'],
    port: 'WORKER_MONITORING_METRICS_PORT',
    probe: '/readyz',
  },
  { name: 'api', main: 'api/main.ts', args: [], port: 'API_PORT', probe: '/readyz' },
  { name: 'serving', main: 'serving/cluster/main.ts', args: [], port: 'SERVING_PORT', probe: '/livez' },
] as const;
const FRONT_DOORS: readonly string[] = ['api', 'serving'];
// Who checks no token needs no key: workers open files that strangers wrote.
const SECRETS = ['JWT_SECRET_KEY', 'ADMIN_PASSWORD', 'ANNEAL_TOKEN', 'ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'];
const SECRETS_OF: Readonly<Record<string, readonly string[]>> = {
  api: ['JWT_SECRET_KEY', 'ADMIN_PASSWORD'],
  serving: ['JWT_SECRET_KEY'],
  'worker-pipeline': ['ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'],
};

type Service = (typeof SERVICES)[number];
export type Ports = Readonly<Record<Service['port'], number>>;
export interface ServicesOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: Ports;
  readonly report: (line: string) => void;
  readonly defer: (name: string, close: () => Promise<void>) => void;
}

/** Anneal's own processes, started all at once; the front doors are stopped before the workers. Returns their pids by name. */
export async function startServices(options: ServicesOptions): Promise<() => Record<string, number>> {
  const started = new Map<string, Promise<Kept<Running>>>(
    SERVICES.map((service) => [service.name, keep(service, options)]),
  );
  const stop = async (names: readonly string[]) => {
    const settled = await Promise.allSettled(names.map((name) => started.get(name)!));
    await Promise.all(settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value.stop()] : [])));
  };
  options.defer('workers', () => stop([...started.keys()].filter((name) => !FRONT_DOORS.includes(name))));
  options.defer('api and serving', () => stop(FRONT_DOORS));
  const running = await Promise.all([...started].map(async ([name, kept]) => [name, await kept] as const));
  return () => Object.fromEntries(running.map(([name, kept]) => [name, kept.current().pid]));
}

function keep({ name, main, args, port, probe }: Service, options: ServicesOptions): Promise<Kept<Running>> {
  const { config, env, ports, report } = options;
  const graceMs = config.SHUTDOWN_GRACE_SECONDS * 1000 + 8000; // the service's own limit comes first
  const own = { name, main, args, env: environmentOf(name, env), home: config.ANNEAL_HOME, graceMs, report };
  const url = `${localUrl(hostOf(config, port), ports[port])}${probe}`;
  return keepRunning(() => startService({ ...own, probe: url }), { name, report });
}

/** The environment without the secrets that are none of this service's business. */
export function environmentOf(service: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const needless = SECRETS.filter((name) => !SECRETS_OF[service]?.includes(name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !needless.includes(name.replace(/_FILE$/, ''))));
}

/** Finds taken ports before anything starts; first waits for services of a crashed start to let go of theirs. */
export async function claimPorts(config: Config): Promise<Ports> {
  await Promise.all(
    SERVICES.map(({ name, main }) => predecessorEnded(pidFileOf(config.ANNEAL_HOME, name), join(main))),
  );
  const claim = async ({ port }: Service) => [port, await claimPort(config[port], port, hostOf(config, port))] as const;
  return Object.fromEntries(await Promise.all(SERVICES.map(claim))) as Ports;
}

const hostOf = (config: Config, port: Service['port']) =>
  (({ API_PORT: config.API_HOST, SERVING_PORT: config.SERVING_HOST }) as Partial<Record<string, string>>)[port] ??
  config.WORKER_METRICS_HOST;

/** The address of a listening host as this machine reaches it. */
export const localUrl = (host: string, port: number) =>
  `http://${['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host}:${port}`;
