import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { predecessorEnded, startProgram, waitUntilReady } from './child-process.ts';
import { PlatformError } from './errors.ts';
import { cacheFolder } from './cache-folder.ts';
import { cachedProgram, goInstall, onPath, type FindOptions } from './go-install.ts';
import { claimPort } from './ports.ts';
import { downloadTemporal } from './temporal-download.ts';

export interface TemporalServerOptions {
  /** Path of the `temporal` program, from `findTemporal`. */
  readonly program: string;
  /** SQLite file that keeps workflows between starts; its folder holds the log too. */
  readonly dataFile: string;
  /** Ports on loopback; 0 takes any free port. */
  readonly port: number;
  readonly uiPort: number;
  /** Registered as Keyword. */
  readonly searchAttributes?: readonly string[];
  /** Made beside `default`. */
  readonly namespaces?: readonly string[];
}
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}
export interface TemporalServer {
  readonly address: string;
  readonly uiUrl: string;
  readonly port: number;
  readonly uiPort: number;
  readonly pid: number;
  /** Settles when the server has ended, with its exit code. */
  readonly ended: Promise<number>;
  readonly stop: () => Promise<void>;
}

const HOST = '127.0.0.1';
const MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

/** Where the Temporal server comes from: PATH, cache, official release, `go install`. Throws UNAVAILABLE naming every way. */
export async function findTemporal(options: FindOptions = {}, download = downloadTemporal): Promise<string> {
  const { env = process.env } = options;
  const found =
    onPath('temporal', env) ??
    cachedProgram('temporal', env) ??
    (await download(join(cacheFolder(env), 'bin', 'temporal'), options.progress)) ??
    (await goInstall('temporal', MODULE, options));
  if (found) return found;
  throw new PlatformError('UNAVAILABLE', noTemporal(join(cacheFolder(env), 'bin', 'temporal')));
}

/** Starts a Temporal development server and waits until it answers. Throws CONFLICT (port), UNAVAILABLE. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const dataFile = resolve(options.dataFile);
  const folder = dirname(dataFile);
  const pidFile = join(folder, 'temporal-guard.pid');
  await mkdir(folder, { recursive: true });
  await predecessorEnded(pidFile);
  const port = await claimPort(options.port, 'TEMPORAL_PORT');
  const uiPort = await claimPort(options.uiPort, 'TEMPORAL_UI_PORT');
  const program = {
    name: 'Temporal',
    command: options.program,
    args: [
      ...temporalArguments(dataFile, { host: HOST, port }, { host: HOST, port: uiPort }),
      ...registrations(options),
    ],
    env: { ...process.env, TEMPORAL_VERSION_CHECK_DISABLED: '1' }, // it would ask its maker for news
    logFile: join(folder, 'temporal.log'),
    pidFile,
  };
  const server = await startProgram(program);
  const address = `${HOST}:${port}`;
  await waitUntilReady(server, program, () => temporalAnswers(address));
  return { address, uiUrl: `http://${HOST}:${uiPort}`, port, uiPort, ...server };
}

/**
 * A development server on an SQLite file, which keeps what it runs: WAL with synchronous=NORMAL survives kill -9 and is
 * about three times as fast as the default.
 */
export const temporalArguments = (dataFile: string, server: Endpoint, ui: Endpoint): string[] => [
  ...['server', 'start-dev', '--log-level', 'error', '--ip', server.host, '--port', `${server.port}`],
  ...['--ui-ip', ui.host, '--ui-port', `${ui.port}`],
  ...['--db-filename', dataFile, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
];

const registrations = ({ searchAttributes = [], namespaces = [] }: TemporalServerOptions) => [
  ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ...namespaces.flatMap((name) => ['--namespace', name]),
];

/** True once a server answers there. Throws while it does not. */
export async function temporalAnswers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1000 });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } finally {
    await connection.close();
  }
}

const noTemporal = (cached: string) => `no Temporal server found. Any one of these is enough:
  1. set TEMPORAL_ADDRESS to a running server (host:port)
  2. put the program \`temporal\` (the Temporal CLI) on the PATH
  3. copy it to ${cached}
  4. allow this machine to download the official release
  5. install Go 1.24 or newer: Anneal then builds it with \`go install ${MODULE}\``;
