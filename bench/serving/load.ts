import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FeatureRow } from './data.ts';
import type { Wire } from './wires.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('post.lua', import.meta.url));

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}
/** Requests written to files, ready to be sent again and again. */
export interface Load {
  /** Closed loop: each connection sends its next request when it has the answer. Throws when a request failed. */
  readonly run: (connections: number, seconds: number) => Promise<LoadResult>;
  readonly remove: () => Promise<void>;
}

/** Throws an Error that says what to install where wrk is missing. */
export async function requireWrk(): Promise<void> {
  // Without arguments wrk prints its usage and fails; only a program that is not there has a code in words.
  const missing = await run('wrk', []).catch(({ code }: NodeJS.ErrnoException) => code === 'ENOENT');
  if (missing === true) throw new Error('wrk is not installed (apt-get install wrk)');
}

/** `batches`: the rows of each request. */
export async function prepareLoad(
  server: { readonly name: string; readonly url: string; readonly headers: Readonly<Record<string, string>> },
  wire: Wire,
  batches: readonly (readonly FeatureRow[])[],
): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-load-'));
  const requests = batches.map((rows) => wire.request(rows));
  const headers = Object.entries({ ...server.headers, ...requests[0]!.headers });
  await writeFile(join(folder, 'headers'), headers.map(([name, value]) => `${name}: ${value}\n`).join(''));
  await Promise.all(requests.map(({ body }, index) => writeFile(join(folder, `body-${index + 1}`), body)));
  return {
    run: async (connections, seconds) => {
      const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', SCRIPT];
      const { stdout } = await run('wrk', [...options, server.url + wire.path, '--', folder, String(requests.length)]);
      const result = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as LoadResult & { failed: number };
      if (result.failed > 0 || result.requests === 0)
        throw new Error(`${server.name} failed ${result.failed} of ${result.requests} requests to ${wire.path}`);
      return result;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
