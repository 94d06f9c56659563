import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { outputRead } from './output-read.ts';
import { endChild, predecessorEnded, waitUntilReady } from '../lib/child-process.ts';
import { hideCredentials } from '../lib/log.ts';
import { SUPERVISED } from '../lib/shutdown.ts';
import type { Running } from '../lib/keep-running.ts';
import { messageOf, readableLine, toLogLine } from './log-lines.ts';

export interface ServiceOptions {
  readonly name: string;
  /** Path of the main file inside the project, and its arguments. */
  readonly main: string;
  readonly args?: readonly string[];
  /** Answers 200 when the service is up. */
  readonly probe: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** SIGKILL follows SIGTERM after this long. */
  readonly graceMs: number;
  /** Gets warnings and worse, as lines to read. */
  readonly report: (line: string) => void;
}

const PROJECT = join(import.meta.dirname, '..');
const LARGEST_LOG_BYTES = 50 * 2 ** 20;

export const pidFileOf = (home: string, name: string) => join(home, 'run', `${name}.pid`);

/** Starts one of Anneal's own processes and waits until it answers. Throws UNAVAILABLE with the end of its log. */
export async function startService(options: ServiceOptions): Promise<Running> {
  const { name, main, args = [], probe, env, home, graceMs } = options;
  const pidFile = pidFileOf(home, name);
  await predecessorEnded(pidFile, main);
  const logFile = join(home, 'logs', `${name}.log`);
  const child = spawn(process.execPath, [join(PROJECT, main), ...args], {
    // Its own process group: Ctrl-C reaches only the parent, which stops its children in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...env, [SUPERVISED]: '1' },
  });
  writePid(pidFile, child.pid);
  const logged = writeLog(child, logFile, options);
  const ended = once(child, 'exit').then(async ([code]) => {
    await outputRead(logged);
    return (code as number | null) ?? 1;
  });
  const stop = () => endChild(child, ended, graceMs);
  const service = { pid: child.pid!, ended, stop };
  await waitUntilReady(service, { name, logFile, readable: messageOf }, async () => (await fetch(probe)).ok);
  return service;
}

function writePid(path: string, pid: number | undefined): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `${pid}\n`);
}

async function writeLog(child: ChildProcess, path: string, { name, report }: ServiceOptions): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true });
  if (existsSync(path) && statSync(path).size > LARGEST_LOG_BYTES) renameSync(path, `${path}.1`);
  const log = openSync(path, 'a');
  const take = async (source: Readable, level: string) => {
    for await (const text of createInterface({ input: source })) {
      const line = toLogLine(hideCredentials(text), name, level);
      writeSync(log, `${JSON.stringify(line)}\n`);
      const readable = readableLine(line);
      if (readable) report(readable);
    }
  };
  await Promise.all([take(child.stdout!, 'info'), take(child.stderr!, 'warn')]).finally(() => closeSync(log));
}
