import { migrate } from '../db/migrate.ts';
import type { Config } from '../lib/config.ts';
import { createShutdown } from '../lib/shutdown.ts';
import { lockHome } from './home-lock.ts';
import { settleSecrets, type Admin, type Secrets } from './secrets.ts';
import { startServers, type Servers } from './servers.ts';
import { claimPorts, localUrl, startServices, type Ports } from './services.ts';

export interface PlatformOptions {
  /** Environment of the child processes; addresses and ports that were settled here go over it. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gets one line per thing worth knowing: steps, warnings of services, restarts. */
  readonly report?: (line: string) => void;
}
export interface PlatformUrls {
  readonly api: string;
  readonly docs: string;
  readonly serving: string;
  /** Null with a Temporal server of your own, unless TEMPORAL_UI_URL says where its UI is. */
  readonly temporalUi: string | null;
}
export interface Platform {
  readonly urls: PlatformUrls;
  readonly admin: Admin;
  /** Holds the password: never log it. */
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** Process ids by name (`api`, `serving`, `worker-training`, `postgres`, `temporal` …), as they are now. */
  readonly pids: () => Record<string, number>;
  /** Stops everything in reverse order, once. False when something had to be killed or failed to close. */
  readonly stop: () => Promise<boolean>;
}

/**
 * Starts servers and services as the configuration says and waits until all answer. What dies later is started again.
 * Nothing is left running when it throws: CONFLICT (port taken, home in use), INVALID (a secret is missing or open to
 * others), UNAVAILABLE (something does not start).
 */
export async function startPlatform(config: Config, options: PlatformOptions = {}): Promise<Platform> {
  const { env = process.env, report = () => {} } = options;
  const graceMs = config.SHUTDOWN_GRACE_SECONDS * 2000 + 40_000;
  const log = { info: () => {}, error: (_fields: unknown, message?: string) => report(message ?? 'shutdown failed') };
  const shutdown = createShutdown({ log: log as never, graceMs });
  try {
    shutdown.defer('the lock', lockHome(config.ANNEAL_HOME));
    const secrets = settleSecrets(config);
    const ports = await claimPorts(config);
    const servers = await startServers({ config, env, report, defer: shutdown.defer });
    report('servers are up; starting the services');
    await migrate(servers.databaseUrl);
    const own = { config, env: childEnvironment(config, env, ports, servers, secrets), ports, report };
    const servicePids = await startServices({ ...own, defer: shutdown.defer });
    return {
      urls: urlsOf(config, ports, servers),
      admin: secrets.admin,
      databaseUrl: servers.databaseUrl,
      temporalAddress: servers.temporalAddress,
      pids: () => ({ ...servers.pids(), ...servicePids() }),
      stop: () => shutdown.run('stop'),
    };
  } catch (error) {
    await shutdown.run('failed start');
    throw error;
  }
}

function childEnvironment(
  config: Config,
  env: NodeJS.ProcessEnv,
  ports: Ports,
  servers: Servers,
  { jwtSecret, admin }: Secrets,
): NodeJS.ProcessEnv {
  return {
    ...env,
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    ANNEAL_HOME: config.ANNEAL_HOME,
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_UI_URL: servers.temporalUi ?? '',
    JWT_SECRET_KEY: jwtSecret,
    ADMIN_PASSWORD: admin.password ?? '',
    // Read already, and a setting may not come both ways.
    ...{ DATABASE_URL_FILE: '', JWT_SECRET_KEY_FILE: '', ADMIN_PASSWORD_FILE: '' },
  };
}

function urlsOf(config: Config, ports: Ports, { temporalUi }: Servers): PlatformUrls {
  const api = localUrl(config.API_HOST, ports.API_PORT);
  return { api, docs: `${api}/docs`, serving: localUrl(config.SERVING_HOST, ports.SERVING_PORT), temporalUi };
}
