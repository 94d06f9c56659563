import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';

/** Tells a person what goes on while they wait. */
export type Progress = (line: string) => void;
export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly progress?: Progress;
}

export const cachedProgram = (name: string, env?: NodeJS.ProcessEnv) => executable(join(cacheFolder(env), 'bin', name));

/** The first executable of this name in the PATH of `env`. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const found = executable(join(folder, name));
    if (found) return found;
  }
  return undefined;
}

/** Builds a Go program into the cache folder. Undefined when there is no `go`, or the build fails (progress says why). */
export async function goInstall(name: string, module: string, options: FindOptions = {}): Promise<string | undefined> {
  const { env = process.env, progress = () => {} } = options;
  const go = onPath('go', env);
  if (!go) return undefined;
  const bin = join(cacheFolder(env), 'bin');
  mkdirSync(bin, { recursive: true });
  progress(`building ${name} with go install ${module}; this takes about 4 minutes, once …`);
  const status = await runGo(go, ['install', module], { ...env, GOBIN: bin }, progress);
  if (status !== 0) progress(`go install ${module} failed with status ${status}`);
  return status === 0 ? executable(join(bin, name)) : undefined;
}

function runGo(go: string, args: readonly string[], env: NodeJS.ProcessEnv, progress: Progress): Promise<number> {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(go, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const clock = setInterval(
      () => progress(`still building, ${Math.round((Date.now() - started) / 1000)} s …`),
      30_000,
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((line) => line && !line.startsWith('go: downloading'))) progress(line);
    });
    child.on('error', () => resolve(127));
    child.on('close', (code) => {
      clearInterval(clock);
      resolve(code ?? 1);
    });
  });
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
