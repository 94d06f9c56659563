import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startProgram, waitUntilReady } from './child-process.ts';
import { PlatformError } from './errors.ts';
import { cacheFolder } from './cache-folder.ts';
import { cachedProgram, goInstall, onPath, type FindOptions } from './go-install.ts';
import { claimPort } from './ports.ts';

export interface MinioServerOptions {
  /** Path of the `minio` program, from `findMinio`. */
  readonly program: string;
  readonly dataDir: string;
  /** On loopback; 0 takes any free port. */
  readonly port: number;
}
export interface MinioServer {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const MODULE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';

/** Where the S3 server of the tests comes from: PATH, cache, `go install`. Throws UNAVAILABLE naming every way. */
export async function findMinio(options: FindOptions = {}): Promise<string> {
  const { env = process.env } = options;
  const found = onPath('minio', env) ?? cachedProgram('minio', env) ?? (await goInstall('minio', MODULE, options));
  if (found) return found;
  const cached = join(cacheFolder(env), 'bin', 'minio');
  const ways = `put \`minio\` on the PATH, copy it to ${cached}, or install Go, with which Anneal builds ${MODULE}`;
  throw new PlatformError('UNAVAILABLE', `no MinIO server found: ${ways}`);
}

/** Starts MinIO with fresh random keys and waits until it answers. Throws CONFLICT (port), UNAVAILABLE. */
export async function startMinioServer(options: MinioServerOptions): Promise<MinioServer> {
  const folder = resolve(options.dataDir);
  const port = await claimPort(options.port, 'MINIO_PORT');
  await mkdir(join(folder, 'data'), { recursive: true });
  const accessKey = randomBytes(8).toString('hex');
  const secretKey = randomBytes(16).toString('hex');
  const endpoint = `http://127.0.0.1:${port}`;
  const program = {
    name: 'MinIO',
    command: options.program,
    args: [
      'server',
      join(folder, 'data'),
      '--address',
      `127.0.0.1:${port}`,
      '--console-address',
      '127.0.0.1:0',
      '--quiet',
    ],
    env: {
      ...process.env,
      MINIO_ROOT_USER: accessKey,
      MINIO_ROOT_PASSWORD: secretKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off', // it would ask its maker for news
    },
    logFile: join(folder, 'minio.log'),
    pidFile: join(folder, 'minio-guard.pid'),
  };
  const server = await startProgram(program);
  await waitUntilReady(server, program, async () => (await fetch(`${endpoint}/minio/health/ready`)).ok);
  return { endpoint, accessKey, secretKey, pid: server.pid, stop: server.stop };
}
