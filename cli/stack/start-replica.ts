import { chown, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { predecessorEnded, startProgram, waitUntilReady } from '../../lib/child-process.ts';
import { PlatformError } from '../../lib/errors.ts';
import { keepRunning } from '../../lib/keep-running.ts';
import { hideCredentials } from '../../lib/log.ts';
import { messageOf, readableLine, toLogLine } from '../log-lines.ts';
import { layOut } from './container-files.ts';
import { openContainerLog, printedLine } from './container-log.ts';
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

/** Starts a replica and waits until it is healthy, or has ended when it runs once. Throws UNAVAILABLE with the end of its log. */
export async function startReplica(replica: Replica, runsOnce: boolean, options: StartOptions): Promise<Outcome> {
  const { folder, report, defer } = options;
  const pidFile = join(folder, 'run', `${replica.name}.pid`);
  await predecessorEnded(pidFile);
  await layOut(replica);
  defer(() => rm(replica.root, { recursive: true, force: true }));
  const prepared = await programFor(replica.image)(replica, options);
  if ('reason' in prepared) return { leftOut: prepared.reason };
  if ('partOf' in prepared) {
    await answered(replica.name, prepared.healthy);
    return { pid: () => undefined };
  }
  const logFile = join(folder, 'logs', replica.name, `${replica.name}-json.log`);
  const log = await openContainerLog({
    service: replica.service,
    file: logFile,
    pipe: join(folder, 'run', `${replica.name}.pipe`),
    onLine: (line) => {
      const warning = readableLine(toLogLine(hideCredentials(line), replica.name, 'info'));
      if (warning) report(warning);
    },
  });
  defer(log.close);
  if (prepared.uid !== undefined) await chown(log.pipe, prepared.uid, prepared.gid!);
  const { healthy, ...program } = prepared;
  const { name, graceMs } = replica;
  const start = () => startProgram({ name, ...program, graceMs, pidFile, logFile: log.pipe });
  if (runsOnce) {
    const status = await (await start()).ended;
    await log.close();
    if (status !== 0) throw failed(name, status, await readFile(logFile, 'utf8'));
    return { pid: () => undefined };
  }
  const kept = await keepRunning(
    async () => {
      const running = await start();
      await waitUntilReady(running, { name, logFile, readable }, healthy, HEALTHY_WITHIN_MS);
      return running;
    },
    { name, report },
  );
  defer(kept.stop);
  return { pid: () => kept.current().pid };
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
