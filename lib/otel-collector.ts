import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { cachedProgram, type FindOptions, goInstall, onPath } from './go-install.ts';

const MANIFEST = join(import.meta.dirname, '..', 'monitoring', 'otel', 'builder.yaml');
const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.156.0';

/** A collector that understands monitoring/otel/collector.yaml, if one is there: PATH, cache. */
export const collectorProgram = (env?: NodeJS.ProcessEnv): string | undefined =>
  onPath('otelcol-contrib', env) ?? cachedProgram(nameOf(readManifest()), env);

/** The same, built with Go where there is none, which takes some minutes on two cores. Undefined without Go. */
export async function findCollector(options: FindOptions = {}): Promise<string | undefined> {
  const found = collectorProgram(options.env);
  if (found) return found;
  const builder = await goInstall('builder', BUILDER, options);
  return builder && (await build(builder, options));
}

const readManifest = () => readFileSync(MANIFEST, 'utf8');
/** In the cache: another manifest is another program. */
const nameOf = (manifest: string) => `otelcol-${createHash('sha256').update(manifest).digest('hex').slice(0, 12)}`;

async function build(builder: string, { env, progress = () => {} }: FindOptions): Promise<string | undefined> {
  const manifest = readManifest();
  const folder = await mkdtemp(join(tmpdir(), 'anneal-otelcol-'));
  try {
    progress('building otelcol …');
    const config = join(folder, 'builder.yaml');
    await writeFile(config, manifest.replace('./otelcol', folder));
    const environment = env ?? process.env;
    // -e: Go also asks for what only the tests of the modules need, and proxies may lack that.
    const GOFLAGS = `${environment.GOFLAGS ?? ''} -e`.trim();
    await promisify(execFile)(builder, [`--config=${config}`], { env: { ...environment, GOFLAGS } });
    const cached = join(cacheFolder(env), 'bin', nameOf(manifest));
    await copyFile(join(folder, 'otelcol'), `${cached}.new`);
    await rename(`${cached}.new`, cached); // never half a program under its name
    return collectorProgram(env);
  } catch (error) {
    progress(`otelcol was not built: ${(error as Error).message}`);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
