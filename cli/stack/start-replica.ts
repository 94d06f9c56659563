import { chown, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { predecessorEnded, startProgram, waitUntilReady, type Program } from '../../lib/child-process.ts';
import { PlatformError } from '../../lib/errors.ts';
import { keepRunning } from '../../lib/keep-running.ts';
import { hideCredentials } from '../../lib/log.ts';
import { messageOf, readableLine, toLogLine } from '../log-lines.ts';
import { layOut } from './container-files.ts';
import { openContainerLog, printedLine, type ContainerLog } from './container-log.ts';
import type { PrepareOptions } from './native-program.ts';
import type { Replica } from './plan.ts';
import { programFor } from './programs.ts';

export interface StartOptions extends PrepareOptions {
  /** Of the stack. */
  readonly folder: string;
}
export type Outcome = { readonly pid: () => number | undefined } | { readonly leftOut: string };

// What the health checks of the Compose file come to: a start period of 60 s, then 12 tries of 5 s.
const HEALTHY_WITHIN_MS = 120_000;
const NO_PROCESS: Outcome = { pid: () => undefined };

/** Starts a replica and waits until it is healthy, or has ended when it runs once. Throws UNAVAILABLE with the end of its log. */
export async function startReplica(replica: Replica, runsOnce: boolean, options: StartOptions): Promise<Outcome> {
  const { folder, defer } = options;
  const pidFile = join(folder, 'run', `${replica.name}.pid`);
  await predecessorEnded(pidFile);
  await layOut(replica);
  defer(() => rm(replica.root, { recursive: true, force: true }));
  const prepared = await programFor(replica.image)(replica, options);
  if ('reason' in prepared) return { leftOut: prepared.reason };
  if ('partOf' in prepared) {
    await answered(replica.name, prepared.healthy);
    return NO_PROCESS;
  }
  const logFile = join(folder, 'logs', replica.name, `${replica.name}-json.log`);
  const log = await logOf(replica, logFile, options);
  if (prepared.uid !== undefined) await chown(log.pipe, prepared.uid, prepared.gid!);
  const { healthy, ...program } = prepared;
  const { name, graceMs } = replica;
  const start = () => startProgram({ name, ...program, graceMs, pidFile, logFile: log.pipe });
  if (!runsOnce) return await kept(name, start, healthy, logFile, options);
  const status = await (await start()).ended;
  await log.close();
  if (status !== 0) throw failed(name, status, await readFile(logFile, 'utf8'));
  return NO_PROCESS;
}

async function logOf({ name, service }: Replica, file: string, options: StartOptions): Promise<ContainerLog> {
  const { folder, report, defer } = options;
  const onLine = (line: string) => {
    const warning = readableLine(toLogLine(hideCredentials(line), name, 'info'));
    if (warning) report(warning);
  };
  const log = await openContainerLog({ service, file, pipe: join(folder, 'run', `${name}.pipe`), onLine });
  defer(log.close);
  return log;
}

/** As `restart: unless-stopped`, once the first start has succeeded. */
async function kept(
  name: string,
  start: () => Promise<Program>,
  healthy: () => Promise<boolean>,
  logFile: string,
  { report, defer }: StartOptions,
): Promise<Outcome> {
  const startHealthy = async () => {
    const running = await start();
    await waitUntilReady(running, { name, logFile, readable }, healthy, HEALTHY_WITHIN_MS);
    return running;
  };
  const { current, stop } = await keepRunning(startHealthy, { name, report });
  defer(stop);
  return { pid: () => current().pid };
}

function failed(name: string, status: number, log: string): PlatformError {
  const end = log.trimEnd().split('\n').slice(-15).map(readable).join('\n');
  return new PlatformError('UNAVAILABLE', `${name} ended with status ${status}. The end of its log:\n${end}`);
}

async function answered(name: string, healthy: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + HEALTHY_WITHIN_MS; Date.now() < deadline; await delay(50))
    if (await healthy().catch(() => false)) return;
  throw new PlatformError('UNAVAILABLE', `${name} did not answer within ${HEALTHY_WITHIN_MS / 1000} s`);
}

const readable = (line: string) => (line === '' ? '' : messageOf(printedLine(line)));
