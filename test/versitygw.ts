import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../lib/cache-folder.ts';
import { startProgram, waitUntilReady } from '../lib/child-process.ts';
import { PlatformError } from '../lib/errors.ts';
import { cachedProgram, goInstall, onPath, type FindOptions } from '../lib/go-install.ts';
import type { MinioServer } from '../lib/minio-server.ts';
import { claimPort } from '../lib/ports.ts';

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';

/** The second S3 server, which has nothing in common with MinIO: PATH, cache, `go install`. Throws UNAVAILABLE naming every way. */
export async function findVersitygw(options: FindOptions = {}): Promise<string> {
  const { env = process.env } = options;
  const found =
    onPath('versitygw', env) ?? cachedProgram('versitygw', env) ?? (await goInstall('versitygw', MODULE, options));
  if (found) return found;
  const cached = join(cacheFolder(env), 'bin', 'versitygw');
  const ways = `put \`versitygw\` on the PATH, copy it to ${cached}, or install Go, with which it is built from ${MODULE}`;
  throw new PlatformError('UNAVAILABLE', `no versitygw found: ${ways}`);
}

/** Keeps objects as plain files, and what it knows about them beside them: not every file system has extended attributes. */
export async function startVersitygw(program: string, folder: string): Promise<MinioServer> {
  const port = await claimPort(0, 'VERSITYGW_PORT');
  for (const name of ['data', 'about']) await mkdir(join(folder, name), { recursive: true });
  const accessKey = randomBytes(8).toString('hex');
  const secretKey = randomBytes(16).toString('hex');
  const endpoint = `http://127.0.0.1:${port}`;
  const options = {
    name: 'versitygw',
    command: program,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--health', '/health'],
      ...['posix', '--sidecar', join(folder, 'about'), join(folder, 'data')],
    ],
    env: { ...process.env, ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey },
    logFile: join(folder, 'versitygw.log'),
    pidFile: join(folder, 'versitygw-guard.pid'),
  };
  const server = await startProgram(options);
  await waitUntilReady(server, options, async () => (await fetch(`${endpoint}/health`)).ok);
  return { endpoint, accessKey, secretKey, pid: server.pid, stop: server.stop };
}
